"""What a clinician of the demo does with requests that they send, run inside the stack (Stack.call)."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from bars_portal.accounts.acting import Acting, resolve_acting
from bars_portal.accounts.models import User
from bars_portal.exchange.fhir.codes import UseCase
from bars_portal.exchange.gateway.client import get_client
from directory.models import HealthcareService
from directory.remote import sender_identity
from referrals.cases.models import Case, Referral
from referrals.parts.base import TimeFrame
from referrals.sending.latest import read_latest
from referrals.sending.requesting import request_referral, request_validation
from referrals.sending.taking_back import revoke_request
from tests.factories.contents import make_content
from tests.factories.patients import make_details

_REQUEST: dict[str, Callable[..., Case]] = {"referral": request_referral, "validation": request_validation}


def send(
    kind: str, use_case: str, service_id: str, *, minutes: int = 0, born: str = "", **patient: Any
) -> str:
    """Id of the sent case, to be answered within `minutes`; `patient` is what differs from the usual one."""
    now = datetime.now(UTC)
    usual = make_content(UseCase(use_case), booking_ids=())
    if minutes or usual.time_frame is not None:
        usual = replace(usual, time_frame=TimeFrame(start=now, end=now + timedelta(minutes=minutes or 120)))
    if born:
        patient["birth_date"] = date.fromisoformat(born)
    made = _REQUEST[kind](
        content=usual,
        details=make_details(**patient),
        service=HealthcareService.objects.select_related("provider").get(service_id=service_id),
        acting=_clinician(),
        now=now,
    )
    return str(made.pk)


def revoke(case_id: str) -> str:
    """How the latest version was found."""
    case, acting, now = Referral.objects.get(pk=case_id), _clinician(), datetime.now(UTC)
    latest = read_latest(get_client(), case=case, sender=sender_identity(acting), now=now)
    revoke_request(case=case, latest=latest, reason="Better", acting=acting, now=now)
    return str(latest.state)


def _clinician() -> Acting:
    acting = resolve_acting(User.objects.get(username="clinician"), {})
    assert acting is not None
    return acting
