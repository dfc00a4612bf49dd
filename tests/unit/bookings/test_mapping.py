"""Diaries and appointments to FHIR and back, and whatever else a partner may send."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bars_portal.correspondence.entries import clean, distinct_urls, referred_to, with_references
from bars_portal.exchange.fhir.bundle import MessageBundle, rendered_searchset
from bars_portal.exchange.fhir.codes import UseCase
from bars_portal.exchange.fhir.queries.services import SlotInclude
from bars_portal.exchange.fhir.reading import references
from bars_portal.exchange.fhir.timestamps import format_london
from bars_portal.patients.details import PatientDetails
from bookings.mapping.offers import read_offers
from bookings.mapping.received import parse_booking
from bookings.mapping.sent import cancelled_appointment, new_appointment, reference_of
from bookings.mapping.slots import SlotTexts, slot_entry, texts_with_slots
from bookings.models.diary import DiaryRow, paired_id
from directory.ports import ServiceFacts

NOW = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
FACTS = ServiceFacts(
    id=UUID(int=7), service_id="2000099002", name="UTC", active=True, provider_name="R", provider_ods="RIV01"
)
ALL = frozenset(str(each) for each in SlotInclude)
MINIMUM = frozenset({"Slot:schedule", "Schedule:actor:Practitioner", "Schedule:actor:HealthcareService"})
words = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), max_size=30)


def answer(slots: list[SlotTexts], diaries: list[DiaryRow], includes: frozenset[str] = ALL) -> dict[str, Any]:
    included = texts_with_slots(diaries, facts=FACTS, includes=includes, now=NOW)
    matches = ",".join(json.dumps(slot_entry(each)) for each in slots)
    return rendered_searchset(
        bundle_id=uuid4(),
        now=NOW,
        self_link="Slot",
        total=len(slots),
        matches=matches,
        included=included,
    ).read()


def slot_of(diary: DiaryRow, number: int = 0, channel: str = "", first: datetime = NOW) -> SlotTexts:
    ident, start = uuid4(), first + timedelta(minutes=15 * number)
    return SlotTexts(
        paired_id(ident),
        str(ident),
        format_london(NOW),
        paired_id(diary.id),
        "free",
        format_london(start),
        format_london(start + timedelta(minutes=15)),
        channel,
    )


@given(
    channel=st.sampled_from(["", "In-person", "Telephone", "Video"]),
    given_name=words,
    family=words,
    role=words,
    place=words,
    gender=st.sampled_from(["", "male", "female", "other"]),
    count=st.integers(1, 4),
)
def test_slots_come_back_as_they_were(
    channel: str, given_name: str, family: str, role: str, place: str, gender: str, count: int
) -> None:
    diary = DiaryRow(
        uuid4(),
        "Room",
        practitioner_given=given_name,
        practitioner_family=family,
        practitioner_role=role,
        practitioner_gender=gender,
        location_name=place,
    )
    slots = [slot_of(diary, number, channel) for number in range(count)]
    offers = read_offers(answer(slots, [diary]))
    assert [each.id for each in offers] == [each.id for each in slots]
    assert [each.start for each in offers] == [NOW + timedelta(minutes=15 * each) for each in range(count)]
    assert {each.end - each.start for each in offers} == {timedelta(minutes=15)}
    named = bool(given_name or family)
    assert offers[0].practitioner_name == " ".join(f"{given_name} {family}".split())
    assert offers[0].gender == (gender.capitalize() if named else "")
    assert offers[0].role == role
    assert offers[0].location_name == (place or "UTC")
    assert offers[0].delivery_channel == {"In-person": "In person"}.get(channel, channel)


@pytest.mark.parametrize("status", ["busy", "busy-unavailable", "busy-tentative", "entered-in-error", ""])
def test_only_free_slots_are_offered(status: str) -> None:
    """A receiver may send others, whatever it was asked for."""
    diary = DiaryRow(uuid4(), "Room")
    free, other = slot_of(diary), slot_of(diary, 1)._replace(status=status)
    offers = read_offers(answer([free, other], [diary]))
    assert [each.id for each in offers] == [free.id]


def test_only_what_is_asked_comes_along_and_the_place() -> None:
    diary = DiaryRow(
        uuid4(), "Room", practitioner_family="Bloggs", practitioner_role="Doctor", location_name="A"
    )
    few = answer([slot_of(diary)], [diary], MINIMUM)
    kinds = [each["resource"]["resourceType"] for each in few["entry"]]
    assert sorted(kinds) == ["HealthcareService", "Location", "Practitioner", "Schedule", "Slot"]
    everything = answer([slot_of(diary)], [diary])
    kinds = [each["resource"]["resourceType"] for each in everything["entry"]]
    assert sorted(kinds) == sorted(
        [
            "Slot",
            "Schedule",
            "Practitioner",
            "PractitionerRole",
            "HealthcareService",
            "Location",
            "Organization",
        ]
    )


@pytest.mark.parametrize("includes", [ALL, MINIMUM])
def test_every_reference_of_an_answer_resolves(includes: frozenset[str]) -> None:
    two = [
        DiaryRow(uuid4(), "A", practitioner_family="B", practitioner_role="R", location_name=place)
        for place in ("Ground floor", "First floor")
    ]
    bundle = MessageBundle(answer([slot_of(each) for each in two], two, includes))
    for _, resource in bundle.entries:
        for reference in references(resource):
            assert bundle.resolve(reference) is not None
    urls = [url for url, _ in bundle.entries]
    assert len(urls) == len(set(urls))
    if includes is ALL:
        places = [each.location_name for each in read_offers(bundle.raw)]
        assert sorted(places) == ["First floor", "Ground floor"], "each slot has its own place"


def test_slots_have_no_identifier_and_london_times() -> None:
    diary = DiaryRow(uuid4(), "Room")
    made = answer([slot_of(diary, first=datetime(2026, 7, 14, 9, 0, tzinfo=UTC))], [diary])
    slot = made["entry"][0]["resource"]
    assert slot["start"] == "2026-07-14T10:00:00.0000000+01:00"
    assert "identifier" not in slot
    assert "extension" not in slot, "the delivery channel is not known"
    assert made["total"] == 1


def test_no_slots_is_an_empty_bundle() -> None:
    assert "entry" not in answer([], [])


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=10,
)
odd_slots = st.dictionaries(
    st.sampled_from(["id", "start", "end", "status", "schedule", "extension", "meta", "resourceType"]),
    json_values | st.sampled_from(["Slot", "free", "2026-11-22T10:00:00Z", "2026-11-22T10:15:00Z"]),
)


@given(entries=st.lists(odd_slots, max_size=4))
def test_odd_answers_never_raise(entries: list[dict[str, Any]]) -> None:
    raw = {"entry": [{"fullUrl": "x", "resource": {"resourceType": "Slot", **each}} for each in entries]}
    for offer in read_offers(raw):
        assert offer.id
        assert offer.start < offer.end


@given(value=json_values)
def test_clean_values_can_be_stored(value: Any) -> None:
    assert "\\u0000" not in json.dumps(clean({"a": value, "b\x00": "c\x00"}))


def test_references_that_are_left_behind_are_dropped_with_what_they_leave_empty() -> None:
    resource = {
        "actor": [{"reference": "A"}, {"reference": "B", "display": "kept"}],
        "who": {"reference": "A"},
    }
    copied = with_references(resource, lambda text: None)
    assert copied == {"actor": [{"display": "kept"}]}
    assert resource["who"] == {"reference": "A"}, "the original is unchanged"


def test_full_urls_of_two_bookings_do_not_clash() -> None:
    entries = [("urn:uuid:a", {"slot": {"reference": "urn:uuid:b"}}), ("urn:uuid:b", {})]
    first, second = distinct_urls([(UUID(int=1), entries), (UUID(int=2), list(entries))])
    assert first == entries
    urls = [url for url, _ in second]
    assert not set(urls) & {"urn:uuid:a", "urn:uuid:b"}
    assert second[0][1]["slot"]["reference"] == urls[1]


def test_only_what_is_referred_to() -> None:
    entries = [("a", {"x": {"reference": "b"}}), ("b", {}), ("c", {})]
    assert [url for url, _ in referred_to({"y": {"reference": "a"}}, entries)] == ["a", "b"]


def cancelled(latest: dict[str, Any], reason: str = "pat") -> dict[str, Any]:
    return cancelled_appointment(
        latest,
        own={"resourceType": "Appointment", "start": "S", "end": "E"},
        patient_url="urn:uuid:p",
        use_case="a1t2",
        reason=reason,
        now=NOW,
    )


def test_a_cancel_keeps_the_receivers_version() -> None:
    latest = {
        "resourceType": "Appointment",
        "id": "theirs",
        "meta": {"versionId": "3", "lastUpdated": "2020-01-01T00:00:00Z"},
        "identifier": [{"system": "urn:x", "value": "REF"}],
        "status": "booked",
        "start": "2026-11-22T10:00:00Z",
        "end": "2026-11-22T10:15:00Z",
        "slot": [{"reference": "Slot/1"}],
        "supportingInformation": [{"reference": "DocumentReference/1"}],
        "participant": [
            {"actor": {"reference": "Practitioner/2"}, "status": "accepted"},
            {"actor": {"reference": "Patient/3"}, "status": "tentative"},
        ],
    }
    made = cancelled(latest)
    assert (made["id"], made["status"], made["identifier"]) == ("theirs", "cancelled", latest["identifier"])
    assert (made["start"], made["end"]) == (latest["start"], latest["end"])
    assert made["participant"] == [{"actor": {"reference": "urn:uuid:p"}, "status": "tentative"}]
    assert made["cancelationReason"]["coding"][0]["code"] == "pat"
    assert made["serviceCategory"][0]["coding"][0]["code"] == "a1t2"
    assert "versionId" not in made["meta"]
    assert not {"slot", "supportingInformation"} & set(made)


@pytest.mark.parametrize(
    ("reason", "expected"),
    [("Patient", {"code": "pat"}), ("Feels better", None), ("", None)],
)
def test_reasons_as_codes_or_words(reason: str, expected: dict[str, str] | None) -> None:
    made = cancelled({"participant": "odd", "serviceCategory": 3}, reason)["cancelationReason"]
    assert made["coding"][0]["code"] == expected["code"] if expected else made["text"]


def test_an_appointment_comes_back() -> None:
    appointment = new_appointment(
        use_case=UseCase.A1T2,
        start=datetime(2026, 11, 22, 10, 0, tzinfo=UTC),
        end=datetime(2026, 11, 22, 10, 15, tzinfo=UTC),
        slot_url="urn:uuid:" + str(UUID(int=3)),
        patient_url="urn:uuid:" + str(UUID(int=4)),
        now=NOW,
    )
    slot_id = uuid4()
    raw = {
        "entry": [
            {"fullUrl": "h", "resource": {"resourceType": "MessageHeader", "focus": [{"reference": "a"}]}},
            {"fullUrl": "a", "resource": appointment},
            {"fullUrl": f"urn:uuid:{UUID(int=3)}", "resource": {"resourceType": "Slot", "id": str(slot_id)}},
        ]
    }
    parsed = parse_booking(MessageBundle(raw), now=NOW)
    assert (parsed.slot_id, parsed.use_case) == (slot_id, "a1t2")
    assert parsed.start == datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
    assert parsed.patient == PatientDetails(), "an unknown patient is accepted"


@pytest.mark.parametrize(
    ("identifiers", "expected"),
    [
        ([{"value": "RIV-7K3M-Q2"}], "RIV-7K3M-Q2"),
        ([], ""),
        ([{"value": 3}, {"value": "X"}], "X"),
        ("odd", ""),
    ],
)
def test_the_reference_of_an_appointment(identifiers: object, expected: str) -> None:
    assert reference_of({"identifier": identifiers}) == expected
