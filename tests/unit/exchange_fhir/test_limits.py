"""What the model library lets through is found, however quickly it is looked for."""

from typing import Any

import pytest

from bars_portal.exchange.fhir.json import ExactDecimal
from bars_portal.exchange.fhir.limits import MAX_PARTS, oddities, too_many_parts

_ALLOWED = {9, 10, 13}


def found(value: Any) -> list[str]:
    return [each.path for each in oddities({"note": [{"text": value}], "status": "final"}, "Bundle")]


# U+FFFE and U+FFFF have no place in XML, in which every answer may be asked for.
@pytest.mark.parametrize("code", [*sorted({*range(32)} - _ALLOWED), 0xFFFE, 0xFFFF])
def test_control_characters(code: int) -> None:
    assert found(f"a{chr(code)}b") == ["Bundle.note[0].text"]


@pytest.mark.parametrize("value", [None, [], {}, [None], [[]]], ids=repr)
def test_nothing_where_something_belongs(value: Any) -> None:
    assert found(value)


@pytest.mark.parametrize(
    "value",
    ["a\tb\r\nc", "null", "[]", "{}", "\\u0000", "\\b", ExactDecimal("1.50"), 2**70, "é\x7f"],
    ids=repr,
)
def test_what_only_looks_like_it(value: Any) -> None:
    assert found(value) == []


@pytest.mark.parametrize("opening", MAX_PARTS, ids=bytes.decode)
def test_so_many_parts_and_no_more(opening: bytes) -> None:
    assert too_many_parts(opening * MAX_PARTS[opening]) is None
    assert too_many_parts(opening * (MAX_PARTS[opening] + 1)) is not None
