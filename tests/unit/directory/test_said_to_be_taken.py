"""What a service says that it takes, and definitions that are none."""

from typing import Any

import pytest

from bars_portal.exchange.fhir.profiles import Definition
from directory.capability import use_cases_of

SYSTEM = "https://fhir.nhs.uk/CodeSystem/usecases-categories-bars"


def definition(*, event: str = "servicerequest-request", focus: tuple[str, ...] = ()) -> dict[str, Any]:
    context = {"valueCodeableConcept": {"coding": [{"system": SYSTEM, "code": "a1t1"}]}}
    return {
        "resourceType": "MessageDefinition",
        "eventCoding": {"code": event},
        "focus": [{"code": each, "min": 1, "max": "1"} for each in focus],
        "useContext": [context],
    }


OTHER = definition() | {"url": Definition.REFERRAL_REQUEST.value, "version": "2.0.0"}


@pytest.mark.parametrize(
    ("found", "taken"),
    [
        ([definition(focus=("ServiceRequest", "Procedure", "Communication"))], {"a1t1"}),
        ([definition()], {"a1t1"}),
        ([definition(focus=("ServiceRequest", "Invoice"))], None),
        ([definition(focus=("Invoice",)), definition(focus=("ServiceRequest",))], {"a1t1"}),
        ([definition(event="booking-request")], None),
        ([], None),
        ([OTHER], frozenset()),
        ([OTHER, definition()], {"a1t1"}),
    ],
    ids=[
        "sound",
        "no-focus",
        "not-one-of-ours",
        "one-of-two",
        "bookings",
        "nothing",
        "another-version",
        "two-versions",
    ],
)
def test_only_sound_definitions_of_requests_count(found: list[Any], taken: set[str] | None) -> None:
    searchset = {"resourceType": "Bundle", "entry": [{"resource": each} for each in found]}
    assert use_cases_of(searchset) == taken
