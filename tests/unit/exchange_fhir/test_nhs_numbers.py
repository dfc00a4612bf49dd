"""Which NHS number of a patient may be used to find that patient."""

from typing import Any

import pytest

from bars_portal.exchange.fhir.identifiers import (
    NHSNumber,
    is_verified,
    nhs_identifiers,
    read_nhs_number,
)

from .factory import nhs_number

GOOD = nhs_number("9990548609")


def usable(identifiers: object) -> list[NHSNumber]:
    found = filter(is_verified, nhs_identifiers({"identifier": identifiers}))
    return [number for number in map(read_nhs_number, found) if number is not None]


@pytest.mark.parametrize(
    "identifiers",
    [
        [GOOD],
        [{**GOOD, "value": "999 054 8609"}],
        [{**GOOD, "system": "http://fhir.nhs.uk/id/nhs-number"}],
        [{"system": "urn:local", "value": "1"}, nhs_number("9990548608"), GOOD],
    ],
)
def test_a_verified_number_is_usable(identifiers: list[Any]) -> None:
    assert usable(identifiers) == [NHSNumber("9990548609")]


@pytest.mark.parametrize(
    "identifiers",
    [
        None,
        [],
        "x",
        [{"system": GOOD["system"], "value": GOOD["value"]}],
        [nhs_number("9990548609", "number-present-but-not-traced")],
        [nhs_number("9990548608")],
        [nhs_number("")],
        [{**GOOD, "system": "urn:local"}],
        [{**GOOD, "value": 9990548609}],
        [{**GOOD, "extension": "x"}],
    ],
)
def test_any_other_is_not(identifiers: object) -> None:
    assert usable(identifiers) == []
