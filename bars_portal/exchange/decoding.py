"""Stored bytes, in either format and compressed or not: as content, and as text for staff.

They are the record, so they stay as they came; whoever reads one again comes here.
"""

from typing import Any

import orjson

from bars_portal.exchange.compression import Corrupt, TooLarge, inflate, is_deflated
from bars_portal.exchange.fhir.decimals import write_exactly
from bars_portal.exchange.fhir.formats import sniff
from bars_portal.exchange.fhir.outcomes import OutcomeCode, OutcomeError, fault
from bars_portal.exchange.masking import KEPT_OF_OURS, mask

# As the receiver takes them (receiver.bodies); a stored one was within it.
MAX_CONTENT = 10_000_000


def decode(body: bytes | memoryview | None) -> dict[str, Any]:
    """The resource in a stored body. Raises OutcomeError for what is none: refused ones are stored too."""
    raw = bytes(body or b"")
    try:
        content = inflate(raw, limit=MAX_CONTENT) if is_deflated(raw) else raw
    except (Corrupt, TooLarge):
        raise fault(OutcomeCode.INVALID, "The body is not gzip, or too large") from None
    return sniff(content).loads(content)


def readable(body: bytes | memoryview | None, *, masked: bool, ours: bool = False) -> str:
    """Indented JSON, whatever the format, or a plain sentence for what is neither JSON nor XML of FHIR.

    `ours`: we wrote it, so that its diagnostics need no mask.
    """
    raw = bytes(body or b"")
    if not raw:
        return "Nothing was sent."
    try:
        content = decode(raw)
    except OutcomeError:
        return f"{len(raw)} bytes that are not FHIR in JSON or XML."
    try:
        return orjson.dumps(
            _masked(content, ours=ours) if masked else content,
            default=write_exactly,
            option=orjson.OPT_INDENT_2,
        ).decode()
    except orjson.JSONEncodeError:
        return f"{len(raw)} bytes of FHIR, nested too deep to be shown."


def _masked(content: dict[str, Any], *, ours: bool) -> Any:
    return mask(content, KEPT_OF_OURS) if ours else mask(content)
