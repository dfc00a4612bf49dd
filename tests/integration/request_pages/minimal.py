"""The least that each use case can be sent with, as somebody types it."""

from bars_portal.exchange.fhir.codes import CAD_USE_CASES, VALIDATION_USE_CASES, UseCase
from tests.factories.contents import PHARMACY
from tests.integration.booking_pages.conftest import ANSWERS as PATIENT

Answers = dict[str, dict[str, str]]

ASSESSED = {
    "assessment": {
        "narrative": "Chest pain since this morning",
        "priority": "C3",
        "rows": "1",
        "row-0-what": "Dx0122",
    }
}
BY_WHEN = {
    "times": {"end-day": "1", "end-month": "1", "end-year": "2199", "end_time": "14:30"},
}
SOMEWHERE = {"places": {"rows": "1", "row-0-postcode": "LS1 6PT"}}
PHARMACIST = {"complaint": {"what": "Otalgia"}, "task": {"what": "1577041000000109"}}
SCENE = {"flags": {"scene": "UNK"}}
HELP = {"task": {"help_asked": "Please send one vehicle"}}
FIRST_ALERT = {"assessment": {"stage": "in-progress"}, "complaint": {"what": "Vomiting"}}
CONSENT = {"consent": {"consent": "OPTIN"}}


def minimal(use_case: UseCase) -> Answers:
    """Steps and what is typed into them."""
    if use_case in CAD_USE_CASES:
        asked = FIRST_ALERT | SOMEWHERE | SCENE | ({} if use_case is UseCase.A6T1 else HELP)
    elif use_case in PHARMACY:
        asked = ASSESSED | PHARMACIST
    elif use_case in VALIDATION_USE_CASES or use_case is UseCase.A3T1:
        asked = ASSESSED | BY_WHEN | SOMEWHERE | SCENE
    else:
        asked = ASSESSED
    return {"patient": PATIENT, **asked, **CONSENT}
