"""The quick look-up of the receiver tells what the ordinary ones tell."""

from dataclasses import replace
from typing import Any

import pytest

from bars_portal.sql import ask
from directory.ports import ServingService
from directory.postcodes import Position
from directory.selectors.services import SERVING, facts_of, serving_of
from tests.factories.directory import make_postcodes, make_service

pytestmark = pytest.mark.django_db


def serving(service_id: str, caller: str = "RX111") -> ServingService | None:
    row = ask(SERVING, caller, False, service_id)
    return serving_of(row) if row else None


LEEDS = Position(53.79, -1.55)


@pytest.mark.parametrize(
    ("changes", "position"),
    [
        ({"postcode": ""}, None),
        ({"postcode": "LS1 4AP"}, LEEDS),
        ({"postcode": "ls14ap", "address_lines": ["1 High Street", "Leeds"], "phone": "0113 4960000"}, LEEDS),
        ({"postcode": "LS1 4AQ"}, None),
        ({"postcode": "LS1"}, None),
        ({"name": 'Zoë\'s "unit"', "postcode": "", "allowed_callers": ["RX111", "RX112"]}, None),
    ],
    ids=["plain", "postcode", "address", "unknown-postcode", "half-postcode", "callers"],
)
def test_the_same_facts_and_the_position(changes: dict[str, Any], position: Position | None) -> None:
    make_postcodes({"LS14AP": (53.79, -1.55)})
    service = make_service(**changes)
    found = serving(service.service_id)
    assert found is not None
    assert found.facts == replace(facts_of(service), position=position)
    assert found.permitted


@pytest.mark.parametrize(
    ("allowed", "caller", "permitted"),
    [
        ([], "RX111", True),
        ([], "", True),
        (["RX111"], "RX111", True),
        (["RX112", "RX111"], "RX111", True),
        (["RX112"], "RX111", False),
        (["RX112"], "", False),
    ],
)
def test_who_may_use_it(allowed: list[str], caller: str, permitted: bool) -> None:
    found = serving(make_service(allowed_callers=allowed).service_id, caller)
    assert found is not None
    assert found.permitted is permitted


@pytest.mark.parametrize("changes", [{"hosted": False}, {"active": False}], ids=["elsewhere", "closed"])
def test_only_services_that_we_answer_for(changes: dict[str, Any]) -> None:
    assert serving(make_service(**changes).service_id) is None
    assert serving("1") is None
