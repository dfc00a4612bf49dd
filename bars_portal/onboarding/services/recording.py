"""Writing down how a step ended, with its event on the trail."""

from datetime import datetime

from django.db import transaction

from bars_portal.accounts.models import Organisation
from bars_portal.audit.actor import Actor
from bars_portal.audit.services import record
from bars_portal.credentials.environments import environment
from bars_portal.onboarding.models import Onboarding, StepRecord
from bars_portal.onboarding.selectors import records_of
from bars_portal.onboarding.steps import (
    BY_NAME,
    Evidence,
    RecordState,
    StepName,
    basis_of,
    standings,
)


class StepRefused(Exception):
    """The step cannot be taken; `sentence` says why and what to do, to the person at the desk."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


def begin(*, organisation: Organisation, name: str, now: datetime) -> Onboarding:
    """The organisation's way into an environment; begun when it was not. Raises KeyError."""
    made = Onboarding(organisation=organisation, environment=environment(name).name, created_at=now)
    Onboarding.objects.bulk_create([made], ignore_conflicts=True)
    return Onboarding.objects.select_related("organisation").get(organisation=organisation, environment=name)


def require_ready(*, onboarding: Onboarding, step: StepName, now: datetime) -> None:
    """Raises StepRefused when something has to be done before, or the environment has no such step."""
    found = standings(environment(onboarding.environment), records_of(onboarding), now=now)
    if step not in found:
        raise StepRefused("This environment has no such step.")
    if first := found[step].first:
        raise StepRefused(f"First: {first[0].title[0].lower()}{first[0].title[1:]}.")


@transaction.atomic
def note(
    *,
    onboarding: Onboarding,
    step: StepName,
    state: RecordState,
    actor: Actor,
    now: datetime,
    evidence: Evidence | None = None,
    words: str = "",
    expires_at: datetime | None = None,
) -> StepRecord:
    """Replaces what was written of the step. Raises StepRefused when what it rests on has gone meanwhile."""
    locked = Onboarding.objects.select_for_update().get(pk=onboarding.pk)
    require_ready(onboarding=locked, step=step, now=now)
    row, _ = StepRecord.objects.update_or_create(
        onboarding=locked,
        step=step.value,
        defaults={
            "state": state.value,
            "at": now,
            "by": actor.label,
            "evidence": dict(evidence or {}),
            "words": words[:500],
            "basis": basis_of(BY_NAME[step], records_of(locked)),
            "expires_at": expires_at,
        },
    )
    record(
        actor=actor,
        action="onboarding.take_step",
        subject=locked,
        outcome={"done": "done", "waiting": "waiting"}.get(state.value, "failed"),
        detail={"step": step.value, "environment": locked.environment},
        now=now,
    )
    return row


def evidence_of(onboarding: Onboarding, step: StepName) -> Evidence:
    """Of a step that others rest on. Raises StepRefused when there is none."""
    found = StepRecord.objects.filter(onboarding=onboarding, step=step.value).first()
    if found is None:
        raise StepRefused(f"First: {BY_NAME[step].title[0].lower()}{BY_NAME[step].title[1:]}.")
    evidence: Evidence = found.evidence
    return evidence
