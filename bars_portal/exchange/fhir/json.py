"""Bytes to dict and back for FHIR JSON (standard section 4)."""

from __future__ import annotations

import json
from typing import Any

import orjson

from bars_portal.exchange.fhir.decimals import may_lose_decimals, parse_decimal, write_exactly
from bars_portal.exchange.fhir.outcomes import OutcomeCode, fault

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def loads(body: bytes) -> dict[str, Any]:
    """Parse one JSON object; raise OutcomeError (400 invalid) for anything else, NaN included.

    Decimals that a float would round or shorten come as ExactDecimal.
    """
    text = body.removeprefix(_BYTE_ORDER_MARK)
    try:
        parsed = orjson.loads(text)
        # orjson is the strict and quick one; the other has a hook for decimals, so it reads again if need be.
        if not _is_written_alike(parsed, text) and may_lose_decimals(text):
            parsed = json.loads(text, parse_float=parse_decimal, parse_int=parse_decimal)
    except (ValueError, RecursionError):
        # The parser's own text may quote the body, so the cause is not kept.
        raise fault(OutcomeCode.INVALID, "The body is not well-formed JSON in UTF-8") from None
    if not isinstance(parsed, dict):
        raise fault(OutcomeCode.INVALID, "The body is not a JSON object")
    return parsed


def _is_written_alike(parsed: object, text: bytes) -> bool:
    """Then nothing was lost; of compact JSON this is known much quicker than by looking at its numbers."""
    try:
        return orjson.dumps(parsed) == text
    except orjson.JSONEncodeError:
        # Too deep to be written.
        return False


def dumps(resource: dict[str, Any]) -> bytes:
    """Compact UTF-8 JSON; member order is kept, so equal input gives equal bytes; decimals as they came."""
    return orjson.dumps(resource, default=write_exactly)
