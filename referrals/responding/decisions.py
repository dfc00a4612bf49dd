"""One decision about a received case: status, history, audit and the message that tells it, together."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.db import transaction

from bars_portal.accounts.acting import Acting
from bars_portal.accounts.permissions import PolicyRefused
from bars_portal.exchange.fhir.codes import EncounterStatus, ServiceRequestStatus
from referrals.cases import wire
from referrals.cases.history import change_case, write_version
from referrals.cases.models import Case, CaseAnswer
from referrals.cases.selectors import locked_case, steps_of
from referrals.cases.states import Category
from referrals.cases.wire import held_request, included_in
from referrals.responding import envelope, policies
from referrals.responding.content import (
    CadStatus,
    NonAttendance,
    Outcome,
    Rejection,
    ResponseContent,
    Started,
)
from referrals.responding.delivery import queue_response
from referrals.responding.policies import CAD_DECISIONS, Decision, is_ambulance, response_to_tell

# Our Encounter after each decision, as reads give it back; a revised outcome leaves it finished.
_ENCOUNTERS = {
    Decision.ACCEPT: EncounterStatus.PLANNED,
    Decision.START: EncounterStatus.IN_PROGRESS,
    Decision.REJECT: EncounterStatus.CANCELLED,
    Decision.COMPLETE: EncounterStatus.FINISHED,
    Decision.REVISE: EncounterStatus.FINISHED,
    Decision.RECORD_NON_ATTENDANCE: EncounterStatus.CANCELLED,
}


@dataclass(frozen=True)
class Decided:
    """The case as it now is; `answer` is None where the standard has no message for the decision."""

    case: Case
    answer: CaseAnswer | None


@transaction.atomic
def decide(
    *,
    case: Case,
    decision: Decision,
    content: ResponseContent,
    acting: Acting,
    now: datetime,
    note: str = "",
    changes: Mapping[str, Any] | None = None,
    by_diary: bool = False,
) -> Decided:
    """Decide on the case as it stands in the database, whatever the caller saw of it.

    The row is locked: of two people, or two presses, the second finds what the first did. `by_diary`: at its
    appointment it was recorded that nobody came. Raises PolicyRefused.
    """
    held = locked_case(case.category, case.pk)
    if by_diary:
        policies.check_can_end_by_absence(acting, held, now)
    else:
        policies.check_can_decide(acting, held, decision, now)
    encounter = envelope.own_encounter_entry(
        held_request(held),
        status=_ENCOUNTERS[decision],
        now=now,
        keeps_history=policies.is_ambulance(held),
    )
    change_case(
        case=held,
        event=decision.event,
        actor=acting.actor,
        now=now,
        note=note,
        changes={"included": envelope.with_own_encounter(included_in(held), encounter), **(changes or {})},
    )
    kind = response_to_tell(held, decision)
    if kind is None:
        return Decided(held, None)
    return Decided(held, queue_response(case=held, kind=kind, content=content, acting=acting, now=now))


class ChangedMeanwhile(PolicyRefused):
    """An update of the requester, or a colleague's decision, came in between."""


CHANGED = "This case changed while you had it open. Look at what is new, then decide."


@transaction.atomic
def decide_as_seen(*, case: Case, seen: int, act: Callable[[Case], Decided]) -> Decided:
    """Decide by `act` if the case still has the `seen` number of steps; its row is locked meanwhile.

    Raises PolicyRefused as `act` does, and ChangedMeanwhile.
    """
    held = locked_case(case.category, case.pk)
    if steps_of(held) != seen:
        raise ChangedMeanwhile(CHANGED)
    return act(held)


def accept_referral(*, case: Case, acting: Acting, now: datetime, words: str = "") -> Decided:
    """Ours to look after. Ambulance controls are told; the standard has no message for other referrals.

    Raises PolicyRefused.
    """
    content = CadStatus(EncounterStatus.PLANNED, words)
    return decide(case=case, decision=Decision.ACCEPT, content=content, acting=acting, now=now, note=words)


def start_case(*, case: Case, acting: Acting, now: datetime, words: str = "") -> Decided:
    """Somebody works on it: told as an interim response (validation) or a status (ambulance control).

    Raises PolicyRefused.
    """
    content: ResponseContent = Started()
    if is_ambulance(case):
        content = CadStatus(EncounterStatus.IN_PROGRESS, words)
    return decide(case=case, decision=Decision.START, content=content, acting=acting, now=now, note=words)


def send_cad_status(*, case: Case, status: CadStatus, acting: Acting, now: datetime) -> Decided:
    """How far an ambulance control is, which moves the case with it.

    Raises PolicyRefused, also for what is no case between ambulance controls.
    """
    if not is_ambulance(case):
        raise PolicyRefused("Only ambulance controls tell each other how far they are.")
    decision = CAD_DECISIONS[status.status]
    return decide(case=case, decision=decision, content=status, acting=acting, now=now, note=status.words)


def complete_validation(*, case: Case, outcome: Outcome, acting: Acting, now: datetime) -> Decided:
    """Tell the requester what was found, as a full response. Raises PolicyRefused."""
    return _outcome(case, outcome, Decision.COMPLETE, acting, now)


def revise_validation(*, case: Case, outcome: Outcome, acting: Acting, now: datetime) -> Decided:
    """Correct an outcome that was told: the requester acts on the last one. Raises PolicyRefused."""
    return _outcome(case, outcome, Decision.REVISE, acting, now)


def complete_referral(*, case: Case, acting: Acting, now: datetime, words: str = "") -> Decided:
    """The patient was seen. Ambulance controls are told; the standard has no message for other referrals.

    Raises PolicyRefused.
    """
    if case.category is not Category.REFERRAL:
        raise PolicyRefused("A validation is completed with its outcome.")
    content = CadStatus(EncounterStatus.FINISHED, words)
    return decide(case=case, decision=Decision.COMPLETE, content=content, acting=acting, now=now, note=words)


@transaction.atomic
def _outcome(case: Case, outcome: Outcome, decision: Decision, acting: Acting, now: datetime) -> Decided:
    if case.category is not Category.VALIDATION:
        raise PolicyRefused("Only a validation has an outcome.")
    policies.check_is_whole(outcome)
    held = locked_case(case.category, case.pk)
    timed = replace(outcome, clock_start=policies.clock_start_of(held, outcome.priority, now))
    note = outcome.disposition.label
    return decide(case=held, decision=decision, content=timed, acting=acting, now=now, note=note)


def reject_case(*, case: Case, rejection: Rejection, acting: Acting, now: datetime) -> Decided:
    """With a reason. The standard has no message for a referral outside Application 6: telephone.

    Raises PolicyRefused.
    """
    note = rejection.words.strip() or rejection.reason.display
    return decide(case=case, decision=Decision.REJECT, content=rejection, acting=acting, now=now, note=note)


@transaction.atomic
def record_non_attendance(
    *, case: Case, missed: NonAttendance, acting: Acting, now: datetime, by_diary: bool = False
) -> Decided:
    """Tell whoever referred, with a safeguarding concern where there is one; the request ends revoked.

    `by_diary`: as in `decide`. Raises PolicyRefused, also before the time at which the patient is expected.
    """
    policies.check_was_expected(missed, now)
    held = locked_case(case.category, case.pk)
    version = held.version + 1
    revoked = {**held.resource, "status": ServiceRequestStatus.REVOKED.value}
    decided = decide(
        case=held,
        decision=Decision.RECORD_NON_ATTENDANCE,
        content=missed,
        acting=acting,
        now=now,
        changes={
            "resource": wire.accepted_request(revoked, case_id=held.pk, version=version, now=now),
            "version": version,
        },
        by_diary=by_diary,
    )
    write_version(case=decided.case, bundle_id="", message_id=None, now=now)
    return decided
