"""What an answer says is held against what was asked: nothing else is ever taken for it."""

from collections.abc import Callable
from copy import deepcopy
from datetime import UTC, datetime
from itertools import combinations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bars_portal.correspondence.differences import (
    PATIENT,
    SERVICE,
    SLOT,
    TIME,
    Told,
    differences,
    with_contradiction,
)
from bars_portal.correspondence.history import NOTE_LENGTH
from bars_portal.exchange.fhir.bundle import MessageBundle
from bars_portal.exchange.fhir.replies import is_another, may_be_twins, shortfall
from tests.unit.exchange_fhir import factory
from tests.unit.exchange_fhir.factory import (
    APPOINTMENT,
    HEADER,
    SCHEDULE,
    SERVICE_ENTRY,
    nhs_number,
    put,
    ref,
    resource,
    urn,
)
from tests.unit.exchange_fhir.factory import (
    PATIENT as PERSON,
)
from tests.unit.exchange_fhir.factory import (
    SLOT as DIARY_SLOT,
)

NOW = datetime(2026, 11, 30, 9, 0, tzinfo=UTC)
Json = dict[str, Any]
Change = Callable[[Json], None]
DOS = "https://fhir.nhs.uk/Id/dos-service-id"
ID = "5a0f1f6e-0c55-4c2c-9c55-0f3f3bb5a102"
ASKED_SERVICE, OTHER_SERVICE = ([{"system": DOS, "value": each}] for each in ("2000099001", "2000099002"))


def booking() -> Json:
    return factory.changed(factory.booking(), put(SERVICE_ENTRY, "identifier", ASKED_SERVICE))


def request(category: str = "referral") -> Json:
    """A new request with all that an answer to it is held against."""
    kind = "https://fhir.nhs.uk/CodeSystem/message-category-servicerequest"
    event = {"system": "https://fhir.nhs.uk/CodeSystem/message-events-bars", "code": "servicerequest-request"}
    header = {**resource(factory.booking(), HEADER), "eventCoding": event, "focus": [ref(1)]}
    asked = {
        "resourceType": "ServiceRequest",
        "status": "active",
        "category": [{"coding": [{"system": kind, "code": category}]}],
        "subject": ref(2),
        "encounter": ref(3),
    }
    encounter = {"resourceType": "Encounter", "status": "triaged", "identifier": [{"value": "OURS"}]}
    service = {"resourceType": "HealthcareService", "identifier": ASKED_SERVICE}
    return factory.message(header, asked, resource(factory.booking(), PERSON), encounter, service)


REQUEST, SUBJECT, THEIRS, OF_REQUEST = 1, 2, 5, 4
OWN_ENCOUNTER = {"resourceType": "Encounter", "status": "planned", "identifier": [{"value": "RIV-1"}]}


def answered(asked: Json) -> Json:
    """As the standard promises it: everything repeated, with ids, and an Encounter for a new request."""
    answer = deepcopy(asked)
    answer["entry"][1]["resource"]["id"] = ID
    if resource(answer, 1)["resourceType"] == "ServiceRequest":
        answer["entry"].append({"fullUrl": urn(99), "resource": deepcopy(OWN_ENCOUNTER)})
    return answer


def told(bundle: Json) -> Told:
    index = MessageBundle(bundle)
    return Told(index, index.focus or {})


def verdict(asked: Json, answer: Json) -> list[str]:
    """The machine word, or what people are shown; [] when it counts as what was asked."""
    word = shortfall(MessageBundle(asked), MessageBundle(answer))
    return [word] if word else [each.what for each in differences(told(asked), told(answer), now=NOW)]


def drop(position: int) -> Change:
    return lambda bundle: bundle["entry"][position].update(resource={"resourceType": "Basic"})


def named(family: str) -> Change:
    """Of somebody without a number on either side."""
    return put(PERSON, "name", [{"family": family}])


BOOKING_CHANGES: dict[str, tuple[Change, str]] = {
    "later": (put(APPOINTMENT, "start", "2030-03-01T09:05:00Z"), TIME),
    "longer": (put(APPOINTMENT, "end", "2030-03-01T09:20:00+00:00"), TIME),
    "the same clock, another offset": (put(APPOINTMENT, "start", "2030-03-01T09:00:00+01:00"), TIME),
    "its slot is later": (put(DIARY_SLOT, "start", "2030-03-01T10:00:00Z"), TIME),
    "another slot": (put(DIARY_SLOT, "id", "3f9f0b5e-7a51-4a55-8a61-0f3f3bb5a999"), SLOT),
    "another service": (put(SERVICE_ENTRY, "identifier", OTHER_SERVICE), SERVICE),
    "another number": (put(PERSON, "identifier", [nhs_number("9990548617")]), PATIENT),
    "another birth date": (put(PERSON, "birthDate", "1981-07-15"), PATIENT),
    "another Bundle": (put(-1, "id", "aaaaaaaa-0000-4000-8000-00000000000b"), "other-bundle"),
    "no Bundle.id": (put(-1, "id", None), "other-bundle"),
    "no header": (drop(HEADER), "no-focus"),
    "no appointment": (drop(APPOINTMENT), "no-focus"),
    "the focus is another thing": (put(HEADER, "focus", [ref(DIARY_SLOT)]), "no-focus"),
    "pending": (put(APPOINTMENT, "status", "pending"), "other-status"),
    "cancelled": (put(APPOINTMENT, "status", "cancelled"), "other-status"),
    "no status": (put(APPOINTMENT, "status", None), "other-status"),
    "no id": (put(APPOINTMENT, "id", None), "no-id"),
    "an id that is none": (put(APPOINTMENT, "id", "../Slot"), "no-id"),
    "no slot": (drop(DIARY_SLOT), "slot-not-busy"),
    "the slot is free": (put(DIARY_SLOT, "status", "free"), "slot-not-busy"),
    "no start": (put(APPOINTMENT, "start", None), "no-time"),
    "no end": (put(APPOINTMENT, "end", None), "no-time"),
    "a time that is none": (put(APPOINTMENT, "start", "at nine"), "no-time"),
    "somebody who is not there": (
        put(APPOINTMENT, "participant", [{"actor": {"reference": "Patient/somebody"}}]),
        "no-patient",
    ),
    "somebody by number": (
        put(APPOINTMENT, "participant", [{"actor": {"identifier": nhs_number("9990548617")}}]),
        PATIENT,
    ),
}
REQUEST_CHANGES: dict[str, tuple[Change, str]] = {
    "another Bundle": (put(-1, "id", "x"), "other-bundle"),
    "no header": (drop(0), "no-focus"),
    "no request": (drop(REQUEST), "no-focus"),
    "draft": (put(REQUEST, "status", "draft"), "other-status"),
    "revoked": (put(REQUEST, "status", "revoked"), "other-status"),
    "no id": (put(REQUEST, "id", None), "no-id"),
    "another number": (put(SUBJECT, "identifier", [nhs_number("9990548617")]), "other-patient"),
    "another birth date": (put(SUBJECT, "birthDate", "1950-01-01"), "other-patient"),
    "somebody who is not there": (put(REQUEST, "subject", {"reference": "Patient/9"}), "no-patient"),
    "a validation": (put(REQUEST, "category", [{"coding": [{"code": "validation"}]}]), "other-category"),
    "another service": (put(OF_REQUEST, "identifier", OTHER_SERVICE), "other-service"),
    "no Encounter of its own": (drop(THEIRS), "no-reference"),
    "not planned": (put(THEIRS, "status", "finished"), "no-reference"),
    "no reference": (put(THEIRS, "identifier", None), "no-reference"),
}


@pytest.mark.parametrize("asked", [booking(), request(), request("validation")], ids=["booking", "r", "v"])
def test_what_is_promised_counts(asked: Json) -> None:
    assert verdict(asked, answered(asked)) == []


@pytest.mark.parametrize(
    "change",
    [
        put(APPOINTMENT, "start", "2030-03-01T10:00:00+01:00"),
        put(APPOINTMENT, "start", "2030-03-01T09:00:00Z"),
        put(DIARY_SLOT, "start", None),
        put(-1, "id", "AAAAAAAA-0000-4000-8000-00000000000A"),
        put(PERSON, "name", [{"family": "ZÉBEDEE"}]),
        put(PERSON, "name", None),
        put(PERSON, "birthDate", "1981"),
        drop(SCHEDULE),
        drop(SERVICE_ENTRY),
        lambda bundle: bundle["entry"].pop(PERSON),
    ],
)
def test_the_same_said_otherwise_counts(change: Change) -> None:
    assert verdict(booking(), factory.changed(answered(booking()), change)) == []


@pytest.mark.parametrize("name", BOOKING_CHANGES)
def test_a_booking_that_is_answered_otherwise(name: str) -> None:
    change, expected = BOOKING_CHANGES[name]
    assert verdict(booking(), factory.changed(answered(booking()), change)) == [expected]


@pytest.mark.parametrize("name", REQUEST_CHANGES)
def test_a_request_that_is_answered_otherwise(name: str) -> None:
    change, expected = REQUEST_CHANGES[name]
    assert verdict(request(), factory.changed(answered(request()), change)) == [expected]


def test_somebody_without_a_number_is_told_by_name_and_birth_date() -> None:
    asked = factory.changed(booking(), put(PERSON, "identifier", None))
    other = factory.changed(answered(asked), named("Quill"))
    (found,) = differences(told(asked), told(other), now=NOW)
    assert (found.what, "ZEBEDEE" in found.asked, "QUILL" in found.said) == (PATIENT, True, True)
    assert "born 14-Jul-1981" in found.asked


@pytest.mark.parametrize(("given", "is_other"), [("Bob", True), ("Fredric", True), ("FR\u00c9D", False)])
def test_twins_without_numbers_are_told_by_their_first_names(given: str, is_other: bool) -> None:
    name = {"family": "Zebedee", "given": ["Fred"]}
    people = [{"birthDate": "1981-07-14", "name": [{**name, "given": [each]}]} for each in ("Fred", given)]
    assert may_be_twins(*people) is is_other
    # A read that shows a short form of the name still shows the same booking.
    assert not is_another(*people)


def test_the_published_acknowledgement_of_a_validation_has_no_id() -> None:
    answer = factory.changed(answered(request("validation")), put(REQUEST, "id", None))
    assert verdict(request("validation"), answer) == []


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (put(1, "status", "entered-in-error"), ""),
        (put(1, "start", None), ""),
        (put(1, "participant", None), ""),
        (put(1, "status", "booked"), "other-status"),
        (put(1, "id", "b"), "other-id"),
        (put(1, "start", "2030-03-01T11:00:00Z"), "other-time"),
        (put(2, "identifier", [nhs_number("9990548617")]), "other-patient"),
    ],
)
def test_a_cancellation(change: Change, expected: str) -> None:
    asked = factory.changed(factory.cancel(), put(1, "id", ID), put(HEADER, "focus", [ref(1)]))
    answer = factory.changed(deepcopy(asked), change)
    assert shortfall(MessageBundle(asked), MessageBundle(answer)) == expected


@st.composite
def spoilt(draw: st.DrawFn, changes: dict[str, tuple[Change, str]], sound: Json) -> Json:
    """One to four changes at once, in any order; a later one may meet what an earlier one removed."""
    answer = deepcopy(sound)
    for name in draw(st.lists(st.sampled_from(sorted(changes)), min_size=1, max_size=4, unique=True)):
        try:
            changes[name][0](answer)
        except KeyError:
            continue
    return answer


@given(answer=spoilt(BOOKING_CHANGES, answered(booking())))
def test_whatever_differs_is_never_booked_as_asked(answer: Json) -> None:
    assert verdict(booking(), answer)


@given(answer=spoilt(REQUEST_CHANGES, answered(request())))
def test_whatever_differs_is_never_sent_as_asked(answer: Json) -> None:
    assert shortfall(MessageBundle(request()), MessageBundle(answer))


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@given(position=st.integers(0, 7), where=st.integers(0, 30), value=json_values)
def test_odd_shapes_are_read_without_harm(position: int, where: int, value: object) -> None:
    answer = answered(booking())
    names = sorted(resource(answer, position))
    resource(answer, position)[names[where % len(names)]] = value
    verdict(booking(), answer)


def test_two_people() -> None:
    """By what both say; what one of them leaves out proves nothing."""
    number, other = nhs_number("9990548609"), nhs_number("9990548617")
    one: Json = {"identifier": [number], "birthDate": "1981-07-14", "name": [{"family": "O'Neill"}]}
    same: list[Json] = [
        {},
        {"identifier": [number], "name": [{"family": "Smith"}]},
        {"identifier": [other, number]},
        {"birthDate": "1981-07"},
        {"name": [{"family": "ONeill"}]},
        {"name": [{"family": "O\u2019NEILL"}]},
    ]
    assert not any(is_another(one, each) or is_another(each, one) for each in same)
    for each in ({"identifier": [other]}, {"birthDate": "1981-08"}, {"name": [{"family": "Smith"}]}):
        assert is_another(one, each)


def test_the_sentence_has_both_sides_and_fits() -> None:
    for first, second in combinations(BOOKING_CHANGES.values(), 2):
        answer = answered(booking())
        first[0](answer)
        with_both = differences(told(booking()), told(answer), now=NOW) if first[1] in (TIME, PATIENT) else []
        words = with_contradiction("We do not know. " * 12 + second[1], with_both)
        assert len(words) <= NOTE_LENGTH
        assert all(each.said in words and each.asked in words for each in with_both[:1])
