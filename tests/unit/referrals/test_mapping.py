"""Reading requests and laying updates over what is held: pure, on messages built by hand."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bars_portal.exchange.fhir.bundle import MessageBundle
from referrals.cases import wire
from referrals.cases.states import CaseStatus, Category
from referrals.parts.assessment import outcomes_of
from referrals.parts.flags import flag_categories, has_safeguarding, scene_is_unsafe
from referrals.receiving import mapping
from referrals.receiving.mapping import ReceivedCase

NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)
CASE = UUID("c0ffee00-0000-4000-8000-000000000001")
EARLY, LATE = "2026-11-20T08:00:00.0000000+00:00", "2026-11-20T08:00:01+00:00"
Json = dict[str, Any]


def url(number: int) -> str:
    return f"urn:uuid:00000000-0000-4000-8000-{number:012d}"


def entry(number: int, kind: str, stamp: str = EARLY, **members: Any) -> Json:
    return {
        "fullUrl": url(number),
        "resource": {"resourceType": kind, "meta": {"lastUpdated": stamp}, **members},
    }


def flag(category: str, *codes: str, **members: Any) -> Json:
    coded = {"coding": [{"code": code} for code in codes]} if codes else {"text": "words"}
    return entry(90, "Flag", category=[{"coding": [{"code": category}]}], code=coded, **members)


def bundle(*entries: Json) -> MessageBundle:
    header = entry(1, "MessageHeader", focus=[{"reference": url(2)}])
    return MessageBundle({"id": "b", "type": "message", "entry": [header, *entries]})


def received(*entries: Json, **request: Any) -> ReceivedCase:
    members: Json = {"status": "active", "encounter": {"reference": url(3)}, **request}
    stamp = members.pop("stamp", EARLY)
    everything = (entry(2, "ServiceRequest", stamp, **members), *entries)
    return mapping.parse_case(bundle(*everything), Category.REFERRAL, now=NOW)


ENCOUNTER = entry(
    3,
    "Encounter",
    status="finished",
    identifier=[{"value": "case-1"}],
    subject={"reference": url(4)},
    episodeOfCare=[{"reference": "EpisodeOfCare/d877b820-e72b-44d1-a627-195f54bfc606"}],
)


def test_an_empty_request_says_nothing_and_raises_nothing() -> None:
    facts = received().facts
    assert (facts.use_case, facts.priority, facts.case_number, facts.flags) == ("", "", "", ())
    assert (facts.breach_at, facts.authored_on, facts.booking_ids) == (None, None, ())
    assert not (facts.safeguarding or facts.scene_unsafe)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
        max_leaves=8,
    )
)
def test_odd_shapes_read_as_nothing(odd: Any) -> None:
    names = (
        "encounter",
        "occurrencePeriod",
        "supportingInfo",
        "category",
        "subject",
        "authoredOn",
        "priority",
    )
    case = received(
        entry(5, "CarePlan", activity=odd),
        entry(6, "Flag", category=odd, code=odd),
        **dict.fromkeys(names, odd),
    )
    assert case.journey_id is None
    assert mapping.stale_entries(case, {url(2): LATE}) == ["Bundle.entry[1].resource.meta.lastUpdated"]


def test_the_request_and_its_encounter_are_read() -> None:
    case = received(
        ENCOUNTER,
        occurrencePeriod={"start": EARLY, "end": LATE},
        supportingInfo=[
            {"reference": "Appointment/3cac9cde-a262-42b3-bcf1-215ab79c3e37"},
            {"reference": "Appointment/old-style"},
            {"reference": url(3)},
        ],
        priority="urgent",
    )
    assert case.facts.case_number == "case-1"
    assert case.facts.breach_at == datetime(2026, 11, 20, 8, 0, 1, tzinfo=UTC)
    assert case.facts.booking_ids == (UUID("3cac9cde-a262-42b3-bcf1-215ab79c3e37"),)
    assert case.facts.priority == "urgent"
    assert case.journey_id == UUID("d877b820-e72b-44d1-a627-195f54bfc606")


@pytest.mark.parametrize(
    ("flags", "categories", "safeguarding", "unsafe"),
    [
        ([], (), False, False),
        ([flag("SG", "836881000000105", status="active")], ("SG",), True, False),
        ([flag("SG", "U")], ("SG",), True, False),
        ([flag("SG")], ("SG",), True, False),
        ([flag("SG", "861931000000100", status="active")], ("SG",), False, False),
        ([flag("SG", "U", status="inactive")], (), False, False),
        ([flag("SG", "U", status="entered-in-error")], (), False, False),
        ([flag("SS", "S")], ("SS",), False, False),
        ([flag("SS", "U")], ("SS",), False, True),
        ([flag("SS", "UNK")], ("SS",), False, True),
        ([flag("SS", "UT")], ("SS",), False, True),
        ([flag("SS")], ("SS",), False, True),
        ([flag("RA", "x"), flag("IR", "y"), flag("RA", "z")], ("IR", "RA"), False, False),
    ],
)
def test_warnings(flags: list[Json], categories: tuple[str, ...], safeguarding: bool, unsafe: bool) -> None:
    message = bundle(*flags)
    assert flag_categories(message) == categories
    assert (has_safeguarding(message), scene_is_unsafe(message)) == (safeguarding, unsafe)


def test_outcomes_are_codes_and_words() -> None:
    concepts = [
        {"coding": [{"system": "s", "code": "1", "display": "one"}, {"code": "2"}], "text": "both"},
        {"text": "words only"},
        {},
    ]
    plan = entry(5, "CarePlan", activity=[{"outcomeCodeableConcept": concepts}])
    assert outcomes_of(bundle(plan)) == [
        {"system": "s", "code": "1", "display": "one", "text": "both"},
        {"system": "", "code": "2", "display": "", "text": "both"},
        {"system": "", "code": "", "display": "", "text": "words only"},
    ]


def test_our_encounter_shares_class_patient_and_journey() -> None:
    case = received(ENCOUNTER)
    where, ours = mapping.own_encounter(
        case, case_id=CASE, reference="RIV-1", status=CaseStatus.RECEIVED, now=NOW
    )
    assert where == wire.own_encounter_url(CASE)
    assert UUID(ours["id"]) != UUID(where.removeprefix("urn:uuid:"))
    assert (ours["status"], ours["identifier"][0]["value"]) == ("planned", "RIV-1")
    assert ours["class"]["code"] == "EMER"
    assert ours["subject"] == ENCOUNTER["resource"]["subject"]
    assert ours["episodeOfCare"] == ENCOUNTER["resource"]["episodeOfCare"]


def test_our_encounter_told_back_is_kept_with_our_id_and_reference() -> None:
    told = entry(7, "Encounter", LATE, status="in-progress", identifier=[{"system": "x", "value": "old"}])
    where, ours = mapping.own_encounter(
        received(ENCOUNTER, told), case_id=CASE, reference="RIV-1", status=CaseStatus.RECEIVED, now=NOW
    )
    assert (where, ours["id"], ours["status"]) == (url(7), wire.own_encounter_id(CASE), "in-progress")
    assert [each["value"] for each in ours["identifier"]] == ["RIV-1", "old"]
    assert url(7) not in mapping.stamps_of(received(ENCOUNTER, told)), "its stamp is not the sender's"


@pytest.mark.parametrize(
    ("held", "sent", "stale"),
    [
        (EARLY, LATE, False),
        (EARLY, EARLY, False),
        (LATE, EARLY, True),
        ("2026-11-20T09:00:00+01:00", "2026-11-20T08:00:00Z", False),
        ("2026-11-20T08:00:00.8185339+00:00", "2026-11-20T08:00:00.8185331+00:00", False),
        ("nonsense", EARLY, False),
        (LATE, "nonsense", False),
    ],
)
def test_only_what_is_older_is_stale(held: str, sent: str, stale: bool) -> None:
    case = received(entry(5, "Patient", sent))
    assert bool(mapping.stale_entries(case, {url(5): held})) is stale


def test_entries_are_merged_by_their_stamps() -> None:
    def version(words: str, **members: Any) -> Json:
        return {"resourceType": "Observation", "id": str(uuid4()), "note": words, **members}

    held: list[list[Any]] = [[url(5), version("held 5")], [url(6), version("held 6")]]
    case = received(
        entry(5, "Observation", EARLY, note="sent 5"),
        entry(6, "Observation", LATE, note="sent 6", id=url(6).removeprefix("urn:uuid:")),
        entry(7, "Observation", LATE, note="sent 7"),
    )
    merged = dict(mapping.merged_entries(case, held, {url(5): EARLY, url(6): EARLY}))
    assert merged[url(5)] == held[0][1], "an equal stamp means unchanged"
    assert (merged[url(6)]["note"], merged[url(6)]["id"]) == ("sent 6", held[1][1]["id"])
    assert merged[url(7)]["note"] == "sent 7"


def test_the_request_keeps_its_content_but_not_its_status_under_an_equal_stamp() -> None:
    held = {"resourceType": "ServiceRequest", "status": "active", "note": "held"}
    same = received(status="on-hold", note="sent")
    assert mapping.merged_request(same, held, {url(2): EARLY}) == {**held, "status": "on-hold"}
    newer = received(status="on-hold", note="sent", stamp=LATE)
    assert mapping.merged_request(newer, held, {url(2): EARLY})["note"] == "sent"


def test_nothing_that_was_held_is_changed_in_place() -> None:
    held = {"resourceType": "ServiceRequest", "id": str(CASE), "status": "active", "meta": {"versionId": "1"}}
    before = dict(held)
    ended = mapping.ended_request(held, {"status": "revoked"}, version=2, now=NOW)
    assert (ended["status"], ended["meta"]["versionId"], ended["id"]) == ("revoked", "2", str(CASE))
    assert held == before
