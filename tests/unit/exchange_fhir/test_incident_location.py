"""What says where an incident is, and what does not."""

from decimal import Decimal
from itertools import combinations

import pytest

from bars_portal.exchange.fhir.outcomes import OutcomeCode
from bars_portal.exchange.fhir.rules.case import Where, is_told_once, ways_of

from .changes import ASKING_VALIDATION, WITH_LOCATION
from .factory import Json
from .samples import LOCATION_EXTENSION, SAMPLES, judged, nth, place


def extended(**parts: str) -> Json:
    inner = [{"url": name, "valueString": value} for name, value in parts.items()]
    return {"extension": [{"url": LOCATION_EXTENSION, "extension": inner}]}


@pytest.mark.parametrize(
    "location",
    [
        extended(UPRN="0008755622"),
        extended(eastings="0.33424", northings="0.55634"),
        extended(what3words="one.two.three"),
        {"address": {"line": ["20 The Headrow"]}},
        {"address": {"postalCode": "LS1 6PT"}},
        {"address": {"text": "By the bridge"}},
        {"position": {"latitude": 53.8, "longitude": -1.5}},
        {"position": {"latitude": Decimal("53.8"), "longitude": 0}},
    ],
)
def test_a_place(location: Json) -> None:
    assert len(ways_of(location)) == 1


@pytest.mark.parametrize(
    "location",
    [
        {},
        {"name": "Somewhere", "description": "Near the shop"},
        extended(UPRN=" "),
        extended(eastings="0.33424"),
        extended(accuracy="80"),
        {"extension": [{"url": "https://example.org", "extension": [{"url": "UPRN", "valueString": "1"}]}]},
        {"address": {"country": "UK"}},
        {"address": {"line": [""]}},
        {"address": "20 The Headrow"},
        {"position": {"latitude": 53.8}},
        {"position": {"latitude": True, "longitude": False}},
        {"position": {"latitude": "53.8", "longitude": "-1.5"}},
    ],
)
def test_no_place(location: Json) -> None:
    assert not ways_of(location)


PARTS: dict[Where, Json] = {
    Where.UPRN: {"UPRN": "0008755622"},
    Where.GRID: {"eastings": "430123", "northings": "433456"},
    Where.WHAT3WORDS: {"what3words": "one.two.three"},
    Where.ADDRESS: {"line": ["20 The Headrow"]},
    Where.POSITION: {"latitude": 53.8, "longitude": -1.5},
}
EVERY_WAY = [frozenset(some) for count in range(1, 6) for some in combinations(Where, count)]


def told(ways: frozenset[Where]) -> Json:
    parts = {
        name: value for way in ways - {Where.ADDRESS, Where.POSITION} for name, value in PARTS[way].items()
    }
    others = {name.value: PARTS[name] for name in (Where.ADDRESS, Where.POSITION) if name in ways}
    return {"resourceType": "Location", **(extended(**parts) if parts else {}), **others}


@pytest.mark.parametrize("ways", EVERY_WAY, ids=lambda ways: ", ".join(sorted(ways)))
@pytest.mark.parametrize("key", sorted(WITH_LOCATION))
def test_a_validation_is_told_where_in_one_way(key: str, ways: frozenset[Where]) -> None:
    """Or by UPRN and address, and then in others too; in a response in as many as it likes."""
    location = told(ways)
    assert ways_of(location) == ways
    raw = SAMPLES[key]()
    there = nth(raw, "Location")
    there.clear()
    there.update(location)
    may = len(ways) == 1 or ways >= {Where.UPRN, Where.ADDRESS}
    assert is_told_once(ways) is may
    found = [(each.rule, each.code, each.expression) for each in judged(raw).issues]
    is_fault = key in ASKING_VALIDATION and not may
    assert found == ([("incident-location", OutcomeCode.INVARIANT, (place(raw, "Location"),))] * is_fault)


def test_half_a_grid_is_no_addition() -> None:
    raw = SAMPLES["validation-new"]()
    nth(raw, "Location").update(told(frozenset({Where.UPRN, Where.ADDRESS})))
    nth(raw, "Location")["extension"][0]["extension"].append({"url": "northings", "valueString": "433456"})
    (issue,) = judged(raw).issues
    assert issue.rule == "incident-location"
