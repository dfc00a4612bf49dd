"""What says where an incident is, and what does not."""

from decimal import Decimal

import pytest

from bars_portal.exchange.fhir.rules.case import says_where

from .factory import Json
from .samples import LOCATION_EXTENSION


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
    assert says_where(location)


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
    assert not says_where(location)
