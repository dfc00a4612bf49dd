"""Answers to a slot search that are not whole: what is missing is counted and named, never called none."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bars_portal.exchange.fhir.bundle import MessageBundle
from bars_portal.exchange.fhir.reading import next_page
from bookings.mapping.offers import Lack, NotShown, lacks_details
from bookings.presenters.slots import SlotPage
from bookings.slots import SlotProblem, SlotSearch, read_answer

FIRST = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
NO_VALUE = object()


def slot(number: int = 0, **changes: Any) -> dict[str, Any]:
    start = FIRST + timedelta(minutes=15 * number)
    fields = {
        "resourceType": "Slot",
        "id": f"slot-{number}",
        "status": "free",
        "schedule": {"reference": "Schedule/diary"},
        "start": start.isoformat(),
        "end": (start + timedelta(minutes=15)).isoformat(),
        **changes,
    }
    kept = {name: value for name, value in fields.items() if value is not NO_VALUE}
    return {"resource": kept, "search": {"mode": "match"}}


def diary(*actors: dict[str, Any]) -> dict[str, Any]:
    found = [{"reference": "HealthcareService/1"}, *actors]
    return {
        "resource": {"resourceType": "Schedule", "id": "diary", "actor": found},
        "search": {"mode": "include"},
    }


def searchset(*entries: Any, **members: Any) -> dict[str, Any]:
    made: dict[str, Any] = {"resourceType": "Bundle", "type": "searchset", **members}
    return {**made, "entry": list(entries)} if entries else made


LACKING = {
    "no status": (slot(status=NO_VALUE), Lack.STATUS),
    "another status": (slot(status="open"), Lack.STATUS),
    "status in capitals": (slot(status="FREE"), Lack.STATUS),
    "no id": (slot(id=NO_VALUE), Lack.ID),
    "an id too long": (slot(id="x" * 65), Lack.ID),
    "a number as id": (slot(id=7), Lack.ID),
    "no start": (slot(start=NO_VALUE), Lack.TIMES),
    "no end": (slot(end=NO_VALUE), Lack.TIMES),
    "no offset": (slot(start="2026-11-22T10:00:00"), Lack.OFFSET),
    "no offset in summer": (slot(end="2026-07-22T10:00:00"), Lack.OFFSET),
    "a day": (slot(start="2026-11-22"), Lack.OFFSET),
    "no such day": (slot(start="2026-11-31T10:00:00Z"), Lack.OFFSET),
    "no length": (slot(end=FIRST.isoformat()), Lack.ORDER),
    "backwards": (slot(end="2026-11-22T09:00:00Z"), Lack.ORDER),
    "no resource": ({"fullUrl": "urn:uuid:1"}, Lack.FORM),
    "a resource without a type": ({"resource": {"id": "1"}}, Lack.FORM),
    "no object": ("slot", Lack.FORM),
}


@pytest.mark.parametrize(("entry", "lack"), LACKING.values(), ids=list(LACKING))
def test_one_that_lacks_something_is_told_beside_a_whole_one(entry: Any, lack: Lack) -> None:
    found = read_answer([searchset(slot(1), entry, diary(), total=2)])
    assert [each.id for each in found.offers] == ["slot-1"]
    assert (found.problem, found.not_shown) == (None, (NotShown(lack, 1),))


@pytest.mark.parametrize(("entry", "lack"), LACKING.values(), ids=list(LACKING))
def test_one_that_lacks_something_is_not_none(entry: Any, lack: Lack) -> None:
    found = read_answer([searchset(entry)])
    assert found == SlotSearch([], SlotProblem.UNREADABLE, (NotShown(lack, 1),))


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (searchset(), SlotProblem.NONE_IN_RANGE),
        (searchset(total=0), SlotProblem.NONE_IN_RANGE),
        (searchset(diary(), total=0), SlotProblem.NONE_IN_RANGE),
        ({**searchset(), "entry": []}, SlotProblem.NONE_IN_RANGE),
        (
            searchset(slot(status="busy"), slot(1, status="busy-tentative"), total=2),
            SlotProblem.NONE_IN_RANGE,
        ),
        (searchset(total=3), SlotProblem.UNREADABLE),
        (searchset(diary()), SlotProblem.UNREADABLE),
        (searchset(slot(status="busy"), total=4), SlotProblem.UNREADABLE),
        ({**searchset(), "entry": {"resource": {}}}, SlotProblem.UNREADABLE),
        ({**searchset(), "entry": None}, SlotProblem.UNREADABLE),
    ],
)
def test_none_is_said_only_when_the_service_said_it(answer: dict[str, Any], problem: SlotProblem) -> None:
    found = read_answer([answer])
    assert (found.offers, found.problem) == ([], problem)


def test_a_total_that_is_more_than_came() -> None:
    assert read_answer([searchset(slot(), diary(), total=5)]).not_shown == (NotShown(Lack.NOT_SENT, 4),)
    assert read_answer([searchset(slot(), diary(), total=2)]).not_shown == (), "they counted the whole Bundle"
    assert read_answer([searchset(slot(), total=True)]).not_shown == ()


def test_pages_that_did_not_come() -> None:
    assert read_answer([searchset(slot())], is_cut=True).not_shown == (NotShown(Lack.NOT_SENT, None),)
    assert read_answer([searchset(slot(), total=9)], is_cut=True).not_shown == (NotShown(Lack.NOT_SENT, 8),)
    assert read_answer([searchset(total=0)], is_cut=True).problem is SlotProblem.UNREADABLE


def test_an_answer_that_says_it_is_not_all() -> None:
    outcome = {"resourceType": "OperationOutcome", "issue": [{"severity": "warning", "code": "incomplete"}]}
    entry = {"resource": outcome, "search": {"mode": "outcome"}}
    assert read_answer([searchset(slot(), entry)]).not_shown == (NotShown(Lack.NOT_SENT, None),)
    harmless = {**outcome, "issue": [{"severity": "information", "code": "informational"}]}
    assert read_answer([searchset(slot(), {**entry, "resource": harmless})]).not_shown == ()


def test_one_slot_twice_is_one_and_two_different_ones_are_none() -> None:
    twice = read_answer([searchset(slot(), total=1), searchset(slot(), total=1)])
    assert ([each.id for each in twice.offers], twice.not_shown) == (["slot-0"], ())
    moved = read_answer([searchset(slot(), slot(1), slot(2, id="slot-0"))])
    assert ([each.id for each in moved.offers], moved.not_shown) == (["slot-1"], (NotShown(Lack.TWICE, 1),))


@pytest.mark.parametrize(
    ("actors", "lacking", "name"),
    [
        ([], False, ""),
        ([{"reference": "Practitioner/7"}], True, ""),
        ([{"reference": "urn:uuid:7"}], True, ""),
        ([{"reference": "Practitioner/7", "display": "Dr Anand"}], False, "Dr Anand"),
        ([{"reference": "urn:uuid:7", "type": "Practitioner", "display": "Dr Anand"}], False, "Dr Anand"),
        ([{"reference": "https://r.example/FHIR/R4/HealthcareService/3"}], False, ""),
    ],
)
def test_whose_diary_it_is(actors: list[dict[str, Any]], lacking: bool, name: str) -> None:
    (offer,) = read_answer([searchset(slot(), diary(*actors), total=1)]).offers
    assert (offer.lacks_details, offer.practitioner_name) == (lacking, name)


def test_a_diary_that_did_not_come() -> None:
    raw = searchset(slot(), total=1)
    assert lacks_details(MessageBundle(raw), raw["entry"][0]["resource"])
    page = SlotPage(read_answer([raw]), FIRST.date(), FIRST.date())
    assert page.without_details == "For all of these times the service left out who they are with or where."
    assert page.not_shown == []


@pytest.mark.parametrize(
    ("link", "following"),
    [
        ([], None),
        ([{"relation": "self", "url": "Slot?a=1"}], None),
        (
            [{"relation": "next", "url": "https://r.example/FHIR/R4/Slot?a=1&_page=2&b="}],
            (("a", "1"), ("_page", "2"), ("b", "")),
        ),
        ([{"relation": "next", "url": "Slot/?a=%2B1"}], (("a", "+1"),)),
        ([{"relation": "next", "url": "https://r.example/FHIR/R4?_getpages=7"}], ()),
        ([{"relation": "next", "url": "https://r.example/FHIR/R4/BusySlot?a=1"}], ()),
        ([{"relation": "next", "url": "http://[odd/Slot?a=1"}], ()),
        ([{"relation": "next", "url": "Slot?" + "a=1&" * 99}], ()),
        ([{"relation": "next"}], ()),
    ],
)
def test_how_the_next_page_is_asked_for(link: list[dict[str, Any]], following: object) -> None:
    assert next_page(searchset(link=link), "Slot") == following


@pytest.mark.parametrize("lack", list(Lack))
def test_every_reason_has_words(lack: Lack) -> None:
    search = SlotSearch(
        [], SlotProblem.UNREADABLE, (NotShown(lack, 1), NotShown(lack, 3), NotShown(lack, None))
    )
    one, three, some = SlotPage(search, FIRST.date(), FIRST.date()).not_shown
    assert one.startswith("1 time ")
    assert three.startswith("3 times ")
    assert some.startswith("Some times ")


odd = st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.just(NO_VALUE)
parts = {
    "id": odd | st.sampled_from(["a", "b", "c"]),
    "status": odd | st.sampled_from(["free", "free", "free", "busy", "open"]),
    "start": odd
    | st.sampled_from(["2026-11-22T10:00:00Z", "2026-11-22T11:00:00+00:00", "2026-11-22T10:00:00"]),
    "end": odd | st.sampled_from(["2026-11-22T10:15:00Z", "2026-11-22T11:15:00Z", "2026-11-22"]),
    "schedule": odd | st.just({"reference": "Schedule/diary"}),
}
entries = st.lists(st.fixed_dictionaries(parts).map(lambda fields: slot(0, **fields)), max_size=5)


@given(pages=st.lists(entries, min_size=1, max_size=3), total=odd | st.integers(0, 9), is_cut=st.booleans())
def test_nothing_is_lost_without_a_word(pages: list[list[Any]], total: Any, is_cut: bool) -> None:
    members = {} if total is NO_VALUE else {"total": total}
    bundles = [searchset(*each, **members) for each in pages]
    found = read_answer(bundles, is_cut=is_cut)
    slots = [each["resource"] for page in pages for each in page]
    shown = {each.id for each in found.offers}
    told = sum(each.count or 0 for each in found.not_shown)
    free = [each for each in slots if each.get("status") == "free"]
    named = {each["id"] for each in free if isinstance(each.get("id"), str) and each["id"]}
    nameless = sum(not (isinstance(each.get("id"), str) and each["id"]) for each in free)
    assert len(shown) + told >= len(named) + nameless
    if found.problem is SlotProblem.NONE_IN_RANGE:
        assert not free
        assert not is_cut
        assert not (type(total) is int and total > len(slots))
    assert bool(found.offers) is (found.problem is None)
