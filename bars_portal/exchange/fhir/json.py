"""FHIR JSON: bytes to dict and back (standard section 4), decimals as exact as they were sent.

What is read of a dict is read tolerantly: odd shapes read as nothing, never as an exception.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from math import isfinite
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit

import orjson

from bars_portal.exchange.fhir.outcomes import OutcomeCode, fault

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_COLON = re.compile(rb"\\u003[aA]")


def loads(body: bytes, *, on_suspicion: Callable[[bytes], None] | None = None) -> dict[str, Any]:
    """Parse one JSON object; raise OutcomeError (400 invalid) for anything else, NaN included.

    Decimals that a float would round or shorten come as ExactDecimal. Of members with the same name the last
    is kept; `on_suspicion` is called with JSON that may have such.
    """
    text = body.removeprefix(_BYTE_ORDER_MARK)
    try:
        parsed = orjson.loads(text)
        written = _written(parsed)
        # What is written alike has lost nothing; of compact JSON this is known quicker than by looking at it.
        if written != text:
            if on_suspicion and _may_repeat_names(text, written):
                on_suspicion(text)
            # orjson is the strict and quick one; the other has a hook for decimals.
            if may_lose_decimals(text):
                parsed = json.loads(text, parse_float=parse_decimal, parse_int=parse_decimal)
    except (ValueError, RecursionError):
        # The parser's own text may quote the body, so the cause is not kept.
        raise fault(OutcomeCode.INVALID, "The body is not well-formed JSON in UTF-8") from None
    if not isinstance(parsed, dict):
        raise fault(OutcomeCode.INVALID, "The body is not a JSON object")
    return parsed


def _written(parsed: object) -> bytes | None:
    try:
        return orjson.dumps(parsed)
    except orjson.JSONEncodeError:
        # Too deep to be written.
        return None


def _may_repeat_names(text: bytes, written: bytes | None) -> bool:
    """Each name has a colon, so what was lost on the way lost one at least: never wrongly no.

    No other way of writing the same changes their number, but for a colon written as an escape.
    """
    if written is None or text.count(b":") != written.count(b":"):
        return True
    return b"\\u003" in text and _COLON.search(text) is not None


def dumps(resource: dict[str, Any]) -> bytes:
    """Compact UTF-8 JSON; member order is kept, so equal input gives equal bytes; decimals as they came."""
    return orjson.dumps(resource, default=write_exactly)


# -- decimals keep the precision that they were sent with: 1.50 is not 1.5 (FHIR R4 datatypes, decimal)

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
    """A decimal whose text a float would not give back.

    To everyone who calculates or stores it is a float; only those who write FHIR look at its text.
    """

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


# -- for the JSON fields of models


class ResourceEncoder(json.JSONEncoder):
    """What PostgreSQL stores: its numbers keep trailing zeros."""

    def encode(self, o: Any) -> str:
        return orjson.dumps(o, default=write_exactly).decode()


class ResourceDecoder(json.JSONDecoder):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{**kwargs, "parse_float": parse_decimal})


# -- tolerant access to what was parsed


def as_dict(value: object) -> dict[str, Any]:
    """The object itself, or an empty one."""
    return value if isinstance(value, dict) else {}


def as_list(value: object) -> list[Any]:
    """The list itself, or an empty one."""
    return value if isinstance(value, list) else []


def as_text(value: object) -> str:
    """The text itself, or an empty one."""
    return value if isinstance(value, str) else ""


def dicts(value: object) -> Iterator[dict[str, Any]]:
    """The objects among the members of a list."""
    return (item for item in as_list(value) if isinstance(item, dict))


def codings(concepts: object) -> Iterator[dict[str, Any]]:
    """Every Coding of a CodeableConcept or of a list of them."""
    for concept in dicts(concepts) if isinstance(concepts, list) else iter((as_dict(concepts),)):
        yield from dicts(concept.get("coding"))


def references(value: object) -> Iterator[dict[str, Any]]:
    """Every Reference below `value` that has a text in `reference`."""
    stack = [value]
    while stack:
        item = stack.pop()
        if isinstance(item, dict):
            if isinstance(item.get("reference"), str):
                yield item
            stack.extend(member for member in item.values() if isinstance(member, (dict, list)))
        elif isinstance(item, list):
            stack.extend(item)


# Between the address of a resource and one of its versions (FHIR R4, "References").
HISTORY = "/_history/"


def id_in(reference: object, resource_type: str) -> str:
    """The id of a relative Reference "Type/id", whichever version it names; "" for another type or form."""
    text = as_text(as_dict(reference).get("reference")).partition(HISTORY)[0]
    kind, _, ident = text.partition("/")
    return ident if kind == resource_type else ""


def version_in(resource: dict[str, Any]) -> int | None:
    """meta.versionId where it is a number, as ours are; None for any other text, and for none."""
    text = as_text(as_dict(resource.get("meta")).get("versionId"))
    return int(text) if _NUMBER.fullmatch(text) else None


_NUMBER = re.compile(r"[0-9]{1,9}")


def extension(element: dict[str, Any], url: str) -> dict[str, Any]:
    """The first extension with this URL, or an empty object."""
    return next((each for each in dicts(element.get("extension")) if each.get("url") == url), {})


def next_page(page: dict[str, Any], resource_type: str) -> tuple[tuple[str, str], ...] | None:
    """How the rest of a search is asked for: the query of the link "next".

    None on the last page; () when the link is no search of this type. Only its query is used, never its
    address: that is somebody else's, and our token is not for it.
    """
    links = [each for each in dicts(page.get("link")) if each.get("relation") == "next"]
    if not links:
        return None
    try:
        url = urlsplit(as_text(links[0].get("url")))
        query = parse_qsl(url.query, keep_blank_values=True, max_num_fields=_MOST_PARAMS)
    except ValueError:
        return ()
    return tuple(query) if url.path.rstrip("/").rpartition("/")[2] == resource_type else ()


_MOST_PARAMS = 40
