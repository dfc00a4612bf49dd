"""Decimals keep the precision that they were sent with: 1.50 is not 1.5 (FHIR R4 datatypes, decimal).

An ExactDecimal is a float to everyone who calculates or stores; only those who write FHIR look at its text.
"""

from __future__ import annotations

import re
from math import isfinite
from typing import Any, Self

import orjson

_DECIMAL = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
# More digits than any measurement has; they would only cost time.
MAX_LENGTH = 64
# From here on whole numbers may be more than JSON readers and writers take as such.
_LONG = 18
# Numbers that orjson might change. Two patterns, each with rare characters in front, scan ten times faster
# than one that begins with a digit.
_FRACTION = re.compile(rb"\.\d+(?:[eE][+-]?\d+)?(?=\s*[,}\]])")
_WHOLE_PART = re.compile(rb"-?\d+\Z")
_ODD = re.compile(rb"[:\[,]\s*(?:-?\d+[eE][+-]?\d+|-0|-?\d{18,})\s*[,}\]]")


class ExactDecimal(float):
    """A decimal whose text a float would not give back."""

    text: str

    def __new__(cls, text: str) -> Self:
        value = super().__new__(cls, text)
        value.text = text
        return value

    def __reduce__(self) -> tuple[Any, ...]:
        return (type(self), (self.text,))


def parse_decimal(text: str) -> int | float:
    """The number that JSON holds for `text`. Raises ValueError for what is no FHIR decimal, or endless."""
    if len(text) > MAX_LENGTH or not _DECIMAL.fullmatch(text):
        raise ValueError("This is not a decimal")
    if not isfinite(float(text)):
        raise ValueError("This decimal is out of range")
    is_whole = len(text) < _LONG and text.lstrip("-").isdecimal()
    if is_whole and str(number := int(text)) == text:
        return number
    return float(text) if _float_keeps(text) else ExactDecimal(text)


def decimal_text(number: int | float) -> str:
    """The text of a number as FHIR writes it, in XML and in JSON."""
    return number.text if isinstance(number, ExactDecimal) else orjson.dumps(number).decode()


def may_lose_decimals(body: bytes) -> bool:
    """Whether JSON may hold a number whose text a float would not give back: never wrongly no, and quick."""
    return _ODD.search(body) is not None or any(map(_may_be_lost, _FRACTION.finditer(body)))


def _may_be_lost(fraction: re.Match[bytes]) -> bool:
    start = fraction.start()
    whole = _WHOLE_PART.search(fraction.string[max(0, start - MAX_LENGTH) : start])
    # Without digits in front it is the end of some text.
    if whole is None:
        return False
    text = (whole[0] + fraction[0]).decode("ascii")
    return len(text) > MAX_LENGTH or not _float_keeps(text)


def _float_keeps(text: str) -> bool:
    """Whether every writer gives a float's text back; where one writes an exponent, another does not."""
    return "e" not in text and repr(float(text)) == text


def write_exactly(value: object) -> orjson.Fragment:
    """The `default` of orjson.dumps."""
    if isinstance(value, ExactDecimal):
        return orjson.Fragment(value.text)
    raise TypeError(f"{type(value).__name__} is not JSON")
