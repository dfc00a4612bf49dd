"""What a service says now beside what it said before, and the words for it."""

from typing import Any

import pytest

from bars_portal.exchange.fhir.capability import StatedCapability
from directory.capability import Difference, Stated, clinician_words, difference, staff_words, stated_by
from tests.unit.directory.test_said_to_be_taken import definition


@pytest.mark.parametrize(
    ("before", "now", "added", "removed"),
    [
        ({"requests": ["a1t1"]}, {"requests": ["a1t1"]}, {}, {}),
        ({"requests": ["a1t1", "a3t1"]}, {"requests": ["a1t1"]}, {}, {"requests": ["a3t1"]}),
        ({"version": ["1.0.0"]}, {"version": ["1.1.0"]}, {"version": ["1.1.0"]}, {"version": ["1.0.0"]}),
        ({"requests": ["a1t1"]}, {}, {}, {}),
        ({}, {"formats": ["json"]}, {}, {}),
    ],
    ids=["same", "one less", "another version", "not told", "told for the first time"],
)
def test_what_came_and_what_went(before: Stated, now: Stated, added: Stated, removed: Stated) -> None:
    found = difference(before, now)
    assert (found.added, found.removed) == (added, removed)
    assert bool(found) is bool(added or removed)


def test_all_that_is_told() -> None:
    entries = [{"resource": definition()}, {"resource": definition(event="booking-request")}]
    told: dict[str, Any] = {"resourceType": "Bundle", "entry": entries}
    statement = StatedCapability("1.0.0", ("a",), ("json",))
    assert stated_by(told, statement) == {
        "requests": ["a1t1"],
        "bookings": ["a1t1"],
        "events": ["booking-request", "servicerequest-request"],
        "definitions": ["a"],
        "version": ["1.0.0"],
        "formats": ["json"],
    }
    assert stated_by(None, None) == {}
    assert stated_by({}, StatedCapability("", None)) == {}


FOUND = Difference(
    {"version": ["1.1.0"], "bookings": ["x9"]}, {"requests": ["a3t1", "a1t1"], "formats": ["xml"]}
)


def test_staff_read_codes_with_their_words() -> None:
    assert staff_words(FOUND) == (
        "Stopped accepting requests for a3t1 (Clinical assessment, sent by 999), "
        "a1t1 (Emergency department, sent by NHS 111)",
        "No longer speaks xml",
        "Now accepts bookings for x9 (not known here)",
        "Now works with version 1.1.0 of the standard",
    )


def test_clinicians_read_what_they_might_have_sent() -> None:
    words = list(clinician_words(FOUND, ["a3t1", "a5t1"]))
    assert words == ["Stopped accepting requests for Clinical assessment, sent by 999"]
