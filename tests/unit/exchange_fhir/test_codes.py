"""Codes: complete, and equal to their text on the wire."""

import pytest

from bars_portal.exchange.fhir import codes
from bars_portal.exchange.fhir.codes import Coded, MessageEvent, SlotStatus, UseCase

ENUMS = [each for each in vars(codes).values() if isinstance(each, type) and issubclass(each, Coded)]


def test_there_are_24_use_cases() -> None:
    assert len(UseCase) == 24
    assert UseCase.A1T1.display == "111 - ED"


def test_a_code_is_its_own_text() -> None:
    assert f"{SlotStatus.FREE}" == "free"
    assert {"free": 1}[SlotStatus.FREE] == 1


@pytest.mark.parametrize("enum", [each for each in ENUMS if each is not Coded])
def test_every_code_has_system_display_and_coding(enum: type[Coded]) -> None:
    for code in enum:
        assert code.coding == {"system": code.system, "code": str(code), "display": code.display}
        assert code.system.startswith("http")
        assert code.display
        assert enum.lookup(str(code)) is code


@pytest.mark.parametrize("odd", [None, 1, [], "", "Booking-Request", {"code": "new"}])
def test_looking_up_anything_else_finds_nothing(odd: object) -> None:
    assert MessageEvent.lookup(odd) is None
