"""The self-test takes minutes: a page hands it to a worker."""

from celery import shared_task
from django.utils import timezone

from bars_portal.audit.actor import Actor
from bars_portal.onboarding.models import Onboarding
from bars_portal.onboarding.services.proving import run_selftest
from bars_portal.onboarding.services.recording import StepRefused


def announce_selftest(onboarding: Onboarding, actor: Actor) -> None:
    """Once what was noted is there for the worker to see."""
    selftest.delay(onboarding.pk, actor.label, actor.user_id, actor.organisation_id)


@shared_task  # type: ignore[untyped-decorator]  # Celery has no types
def selftest(onboarding_id: int, label: str, user_id: int | None, organisation_id: int | None) -> None:
    """How it ended is noted with the step."""
    onboarding = Onboarding.objects.select_related("organisation").get(pk=onboarding_id)
    try:
        run_selftest(
            onboarding=onboarding,
            actor=Actor(label, user_id, organisation_id),
            clock=timezone.now,
            scenarios=[],
        )
    except StepRefused:
        # It is noted as not working, with the words.
        return
