"""Requests that somebody sends while the test looks at the pages: by the services, over the real wire."""

from tests.browser.person import FAMILY, GIVEN, NHS_NUMBER
from tests.stack import Stack

ASSESSMENT, EMERGENCY = "2000099003", "2000099001"


def send(stack: Stack, kind: str, use_case: str, service: str) -> str:
    """Id of the sent case, which is to be answered within half an hour."""
    patient = {"family_name": FAMILY, "given_names": GIVEN, "nhs_number": NHS_NUMBER, "born": "1947-11-03"}
    return stack.call("tests.live.requesting.send", kind, use_case, service, minutes=30, **patient)


def send_validation(stack: Stack) -> str:
    """An ambulance clinician asks a clinical assessment service to look again at a category 3 call."""
    return send(stack, "validation", "a4t1", ASSESSMENT)


def send_referral(stack: Stack) -> str:
    """111 refers to an emergency department, with a safeguarding concern."""
    return send(stack, "referral", "a1t1", EMERGENCY)
