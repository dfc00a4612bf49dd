"""Requests that somebody sends while the test looks at the pages: by the services, over the real wire."""

from tests.stack import Stack

ASSESSMENT, EMERGENCY = "2000099003", "2000099001"
# What the sending pages do in the end: somebody signed in, a service of the directory, what was stated.
_SEND = """
from datetime import UTC, date, datetime, timedelta
from bars_portal.accounts.acting import resolve_acting
from bars_portal.accounts.models import User
from directory.models import HealthcareService
from referrals import services
from referrals.parts.base import TimeFrame
from tests.browser.person import FAMILY, GIVEN, NHS_NUMBER
from tests.factories.contents import UseCase, make_content
from tests.factories.patients import make_details
acting, now = resolve_acting(User.objects.get(username="clinician"), {{}}), datetime.now(UTC)
frame = TimeFrame(start=now, end=now + timedelta(minutes={minutes}))
details = make_details(
    family_name=FAMILY, given_names=GIVEN, nhs_number=NHS_NUMBER, birth_date=date(1947, 11, 3)
)
made = services.request_{kind}(
    content=make_content(UseCase.{use_case}, time_frame=frame, booking_ids=()),
    details=details,
    acting=acting,
    now=now,
    service=HealthcareService.objects.select_related("provider").get(service_id="{service}"),
)
print(made.pk)  # what the test reads of this program
"""


def send(stack: Stack, kind: str, use_case: str, service: str, *, minutes: int = 30) -> str:
    """Id of the sent case; `minutes` from now is the time to answer by."""
    code = _SEND.format(kind=kind, use_case=use_case, service=service, minutes=minutes)
    return stack.run(code)


def send_validation(stack: Stack, *, minutes: int = 30) -> str:
    """An ambulance clinician asks a clinical assessment service to look again at a category 3 call."""
    return send(stack, "validation", "A4T1", ASSESSMENT, minutes=minutes)


def send_referral(stack: Stack) -> str:
    """111 refers to an emergency department, with a safeguarding concern."""
    return send(stack, "referral", "A1T1", EMERGENCY)
