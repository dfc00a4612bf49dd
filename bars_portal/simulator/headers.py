"""The NHSD headers and Accept, read as leniently as the live proxy reads them.

Source: api.md sections 2 and 7.
"""

import base64
import binascii
import re
from dataclasses import dataclass
from typing import Any

import orjson

from bars_portal.simulator.fhir import child, dicts
from bars_portal.simulator.outcomes import ProxyError, Refused

TARGET_HEADER, ORGANISATION_HEADER = "NHSD-Target-Identifier", "NHSD-End-User-Organisation"
DEFAULT_VERSION = 10000
DOCUMENT_REFERENCE_VERSION = 10100
_ODS_CODE = re.compile(r"[A-Za-z0-9.-]{1,20}")
_THREE_NUMBERS = re.compile(r"(\d{1,6})\.(\d{1,6})\.(\d{1,6})")


@dataclass(frozen=True)
class Target:
    """Whom the request is for: identifier system and value, as sent."""

    system: str
    value: str


def decode_target(header: str) -> Target:
    """Reads the header's value. Raises Refused with the proxy's own error."""
    content = _object(_bytes(header))
    system, value = content.get("system"), content.get("value")
    if not system or not value:
        raise Refused(ProxyError.TARGET_INCOMPLETE)
    if not isinstance(system, str):
        raise Refused(ProxyError.RECEIVER_ERROR)
    if not isinstance(value, str):
        raise Refused(ProxyError.TARGET_UNKNOWN)
    return Target(system, value)


def organisation_code(header: str) -> str:
    """The ODS code that the header names, upper case; empty when it names none that could be one."""
    identifiers = child(decode_header(header)).get("identifier")
    # FHIR wants a list; a single object is what some senders write.
    listed = identifiers if isinstance(identifiers, list) else [identifiers]
    values = (str(each.get("value", "")).strip() for each in dicts(listed))
    return next((value.upper() for value in values if _ODS_CODE.fullmatch(value)), "")


def decode_header(header: str) -> Any:
    """The JSON in a base64 header; None when there is none."""
    try:
        # Without validation foreign characters are dropped, as Python 2's decoder in the live proxy does.
        return orjson.loads(base64.b64decode(header.encode("ascii", "ignore"), validate=False))
    except (binascii.Error, orjson.JSONDecodeError):
        return None


def encode_header(content: object, *, pretty: bool = False) -> str:
    """Standard base64 of JSON, with line breaks in it when `pretty`."""
    return base64.b64encode(orjson.dumps(content, option=orjson.OPT_INDENT_2 if pretty else None)).decode()


def accepted_version(accept: str) -> int:
    """The highest `version=X.Y.Z` as X*10000+Y*100+Z; 1.0.0 where none is given; 0 without Accept."""
    if not accept:
        return 0
    parameters = (part.strip() for member in accept.split(",") for part in member.split(";")[1:])
    versions = (_number(part) for part in parameters if part.lower().startswith("version"))
    return max(DEFAULT_VERSION, *versions, 0)


def _bytes(header: str) -> bytes:
    if not header:
        raise Refused(ProxyError.TARGET_NOT_BASE64)
    try:
        return base64.b64decode(header.encode("ascii", "ignore"), validate=False)
    except binascii.Error as problem:
        raise Refused(ProxyError.TARGET_NOT_BASE64) from problem


def _object(content: bytes) -> dict[str, object]:
    # The live proxy's next script breaks on what is no JSON object; its error handler makes a 500 of that.
    try:
        loaded = orjson.loads(content)
    except orjson.JSONDecodeError as problem:
        raise Refused(ProxyError.RECEIVER_ERROR) from problem
    if not isinstance(loaded, dict):
        raise Refused(ProxyError.RECEIVER_ERROR)
    return loaded


def _number(parameter: str) -> int:
    found = _THREE_NUMBERS.fullmatch(parameter.partition("=")[2].strip().strip('"'))
    if not found:
        return 0
    major, minor, patch = (int(part) for part in found.groups())
    return major * 10000 + minor * 100 + patch
