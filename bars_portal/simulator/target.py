"""NHSD-Target-Identifier: base64 of {"system", "value"}, decoded as leniently as the live proxy does.

Source: api.md section 7, steps 6 and 7.
"""

import base64
import binascii
from dataclasses import dataclass

import orjson

from bars_portal.simulator.outcomes import ProxyError, Refused

TARGET_HEADER = "NHSD-Target-Identifier"


@dataclass(frozen=True)
class Target:
    """Whom the request is for: identifier system and value, as sent."""

    system: str
    value: str


def decode_target(header: str) -> Target:
    """Reads the header's value. Raises Refused with the proxy's own error."""
    content = _json(_bytes(header))
    system, value = content.get("system"), content.get("value")
    if not system or not value:
        raise Refused(ProxyError.TARGET_INCOMPLETE)
    if not isinstance(system, str):
        raise Refused(ProxyError.RECEIVER_ERROR)
    if not isinstance(value, str):
        raise Refused(ProxyError.TARGET_UNKNOWN)
    return Target(system, value)


def _bytes(header: str) -> bytes:
    if not header:
        raise Refused(ProxyError.TARGET_NOT_BASE64)
    try:
        # Without validation foreign characters are dropped, as Python 2's decoder in the live proxy does.
        return base64.b64decode(header.encode("ascii", "ignore"), validate=False)
    except binascii.Error as problem:
        raise Refused(ProxyError.TARGET_NOT_BASE64) from problem


def _json(content: bytes) -> dict[str, object]:
    # The live proxy's next script breaks on what is no JSON object; its error handler makes a 500 of that.
    try:
        loaded = orjson.loads(content)
    except orjson.JSONDecodeError as problem:
        raise Refused(ProxyError.RECEIVER_ERROR) from problem
    if not isinstance(loaded, dict):
        raise Refused(ProxyError.RECEIVER_ERROR)
    return loaded
