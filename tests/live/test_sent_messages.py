"""Every message that the portal sends, taken from its outbox, against the published profiles."""

from typing import Any

import orjson
import pytest

from tests.live.conftest import FhirCheck, Query
from tests.live.messages import of_type, only
from tests.live.people import Person, heading

WITH_PRACTITIONER, WITHOUT = "2000099002", "2000099003"
NUMBER = {"nhs_number": "9658499171", "traced_in": "PDS"}
SOMEBODY_ELSE = {
    "call_back": "somebody_else",
    "contact_relationship": "SIB",
    "contact_given_names": "Agnes",
    "contact_family_name": "Ravensworth",
    "second_phone": "0113 496 0001",
    "email": "agnes@example.com",
}
BODIES = "SELECT message_type, body FROM exchange_outboundmessage WHERE subject_id = %s ORDER BY created_at"


def sent_for(page_path: str, query: Query) -> list[tuple[str, Any]]:
    """What went out for a booking: message types with their decoded bodies."""
    rows = query(BODIES, page_path.strip("/").rsplit("/", 1)[-1])
    return [(kind, orjson.loads(bytes(body))) for kind, body in rows]


@pytest.mark.parametrize(
    ("service", "answers"),
    [
        (WITH_PRACTITIONER, {}),
        (WITH_PRACTITIONER, NUMBER),
        (WITHOUT, {}),
        (WITHOUT, {"nhs_number": "9658499171"}),
        (WITHOUT, SOMEBODY_ELSE),
        (WITHOUT, NUMBER | SOMEBODY_ELSE | {"title": "Mx", "address_line_2": "Flat 2"}),
        (WITHOUT, {"address_line_1": "", "town": "", "postcode": ""}),
    ],
    ids=["practitioner", "practitioner-number", "bare", "unverified", "contact", "everything", "no-address"],
)
def test_a_new_booking(service: str, answers: dict[str, str], clinician: Person, query: Query) -> None:
    booked = clinician.book(service, **answers)

    assert heading(booked) == "Appointment booked"
    ((kind, body),) = sent_for(booked.url.path, query)
    assert kind == "booking-new"
    assert bool(only(body, "Patient").get("identifier")) == ("traced_in" in answers)
    assert bool(of_type(body, "Practitioner")) == (service == WITH_PRACTITIONER)


def test_a_cancellation(clinician: Person, query: Query) -> None:
    booked = clinician.book(WITHOUT, **NUMBER)

    cancelled = clinician.cancel(booked)

    assert heading(cancelled) == "Appointment cancelled"
    sent = sent_for(booked.url.path, query)
    assert [kind for kind, _ in sent] == ["booking-new", "booking-cancelled"]
    assert only(sent[1][1], "Appointment")["id"]


def test_a_rebooking(clinician: Person, query: Query) -> None:
    booked = clinician.book(WITH_PRACTITIONER)

    clinician.rebook(booked)

    after = clinician.settled(clinician.get(f"{booked.url.path}status/?open=1"))
    assert heading(after) == "Appointment booked"
    (new,) = query(
        "SELECT booked_id::text FROM bookings_rebooking WHERE cancelled_id = %s",
        booked.url.path.strip("/").rsplit("/", 1)[-1],
    )[0]
    sent = [*sent_for(booked.url.path, query), *sent_for(new, query)]
    assert [kind for kind, _ in sent] == ["booking-new", "booking-cancelled", "booking-new"]
    assert new in after.url.path


def test_all_that_was_sent_satisfies_the_profiles(
    clinician: Person, query: Query, fhir_check: FhirCheck
) -> None:
    """One run of the checker for this test's messages and whatever other tests sent."""
    clinician.cancel(clinician.book(WITH_PRACTITIONER, **NUMBER))
    rows = query("SELECT body FROM exchange_outboundmessage")
    fhir_check([orjson.loads(bytes(body)) for (body,) in rows])


def test_what_was_sent_is_what_arrived(clinician: Person, query: Query) -> None:
    clinician.book(WITHOUT)

    pairs = query(
        "SELECT sent.body = got.body FROM exchange_outboundmessage sent JOIN exchange_inboundmessage got"
        " ON got.request_id = sent.request_id WHERE got.state = 'accepted'"
    )

    assert pairs
    assert all(same for (same,) in pairs)
