"""Stored bytes as text for staff: indented, masked unless the reader may see patients."""

import orjson

from bars_portal.exchange.masking import mask


def readable(body: bytes | memoryview | None, *, masked: bool) -> str:
    """Indented JSON, or a plain sentence for what is none."""
    raw = bytes(body or b"")
    if not raw:
        return "Nothing was sent."
    try:
        content = orjson.loads(raw)
    except orjson.JSONDecodeError:
        return f"{len(raw)} bytes that are not JSON."
    try:
        return orjson.dumps(mask(content) if masked else content, option=orjson.OPT_INDENT_2).decode()
    except orjson.JSONEncodeError:
        return f"{len(raw)} bytes of JSON, nested too deep to be shown."
