"""Bytes to dict and back for FHIR JSON (standard section 4)."""

from __future__ import annotations

from typing import Any

import orjson

from bars_portal.exchange.fhir.outcomes import OutcomeCode, fault

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def loads(body: bytes) -> dict[str, Any]:
    """Parse one JSON object; raise OutcomeError (400 invalid) for anything else, NaN included."""
    try:
        parsed = orjson.loads(body.removeprefix(_BYTE_ORDER_MARK))
    except orjson.JSONDecodeError:
        # The parser's own text may quote the body, so the cause is not kept.
        raise fault(OutcomeCode.INVALID, "The body is not well-formed JSON in UTF-8") from None
    if not isinstance(parsed, dict):
        raise fault(OutcomeCode.INVALID, "The body is not a JSON object")
    return parsed


def dumps(resource: dict[str, Any]) -> bytes:
    """Compact UTF-8 JSON; member order is kept, so equal input gives equal bytes."""
    return orjson.dumps(resource)
