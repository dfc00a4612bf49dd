"""Which name, way to reach somebody or address counts (standard section 13)."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bars_portal.exchange.fhir.people import best_first, chosen, is_valid, name_of_person, way_to_call

NOW = datetime(2026, 7, 14, 23, 30, tzinfo=UTC)
ENDED, TO_COME = {"end": "2026-07-13"}, {"start": "2026-08"}


def name(family: str, use: str = "", **period: str) -> dict[str, Any]:
    return {"family": family, **({"use": use} if use else {}), **({"period": period} if period else {})}


@pytest.mark.parametrize(
    ("names", "family"),
    [
        ([name("A"), name("B", "official")], "B"),
        ([name("A", "official"), name("B", "usual")], "B"),
        ([name("A", "maiden"), name("B", "official")], "B"),
        ([name("A", "nickname"), name("B")], "B"),
        ([name("A", "temp"), name("B", "old")], "A"),
        ([name("A", "usual", **ENDED), name("B", "temp")], "B"),
        ([name("A", "usual", **TO_COME), name("B", "official")], "B"),
        ([name("A", "official", **ENDED), name("B", "official", start="2026-07-13")], "B"),
        ([name("A", "old")], "A"),
        ([name("A"), name("B")], "A"),
        ([], ""),
    ],
)
def test_valid_now_then_by_use(names: list[dict[str, Any]], family: str) -> None:
    assert chosen(names, NOW).get("family", "") == family
    assert name_of_person({"name": names}, NOW) == family


@pytest.mark.parametrize(
    ("period", "holds"),
    [
        ({}, True),
        ({"end": "2026"}, True),
        ({"end": "2026-07"}, True),
        # 23:30 in July is the next day in London.
        ({"end": "2026-07-14"}, False),
        ({"end": "2026-07-15"}, True),
        ({"start": "2026-07-15"}, True),
        ({"start": "2026-07-16"}, False),
        ({"start": "2027"}, False),
        ({"end": "2026-07-14T23:29:59Z"}, False),
        ({"end": "2026-07-14T23:30:01+00:00"}, True),
        ({"end": "2026-07-15T10:00:00"}, True),
        ({"end": "for ever"}, True),
        ({"end": 7}, True),
    ],
)
def test_a_period_holds_as_far_as_it_is_told(period: dict[str, Any], holds: bool) -> None:
    assert is_valid({"period": period}, NOW) is holds
    assert not is_valid({"period": period, "use": "old"}, NOW)


def test_a_rank_says_more_than_where_it_rings() -> None:
    ways = [
        {"value": "1", "use": "home", "rank": 2},
        {"value": "2", "use": "work", "rank": 1},
        {"value": "3"},
    ]
    assert [each["value"] for each in best_first(ways, NOW)] == ["2", "1", "3"]


@pytest.mark.parametrize(
    ("ways", "number"),
    [
        ([{"system": "email", "value": "a@b", "rank": 1}, {"system": "phone", "value": "1", "rank": 2}], "1"),
        (
            [{"system": "phone", "value": "1", "rank": 1, "use": "old"}, {"system": "phone", "value": "2"}],
            "2",
        ),
        ([{"system": "phone", "value": "1", "rank": 1, "period": ENDED}, {"value": "2", "use": "temp"}], "2"),
        ([{"system": "fax", "value": "1"}, {"system": "phone"}], ""),
        ([{"system": "phone", "value": "1", "use": "old"}], "1"),
    ],
)
def test_which_way_to_call_back(ways: list[dict[str, Any]], number: str) -> None:
    assert way_to_call(ways, NOW).get("value", "") == number


elements = st.fixed_dictionaries(
    {},
    optional={
        "use": st.sampled_from(["usual", "official", "old", "maiden", "nickname", "temp", "home", 7, None]),
        "period": st.fixed_dictionaries(
            {}, optional={"start": st.text(max_size=12), "end": st.text(max_size=12)}
        ),
        "rank": st.one_of(st.integers(-1, 3), st.text(max_size=2)),
        "family": st.text(max_size=5),
    },
)


@given(st.lists(elements, max_size=6))
def test_none_is_lost_and_the_old_one_is_never_first(found: list[dict[str, Any]]) -> None:
    ordered = best_first(found, NOW)
    assert sorted(map(id, ordered)) == sorted(map(id, found))
    valid = [is_valid(each, NOW) for each in ordered]
    assert valid == sorted(valid, reverse=True)
    stands_in = [each.get("use") in ("maiden", "nickname", "temp") for each in ordered if is_valid(each, NOW)]
    assert stands_in == sorted(stands_in)
