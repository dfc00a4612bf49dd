"""The headers of a request (standard section 3)."""

import base64
import binascii
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import orjson

from bars_portal.simulator.target import TARGET_HEADER
from bars_portal.simulator.verdicts.model import Check, look
from bars_portal.simulator.wire import Request

RULE = "3"
IDS = ("X-Request-ID", "X-Correlation-ID")
# Header, whether every request needs it, and the member that it cannot do without.
NHSD = (
    (TARGET_HEADER, True, "value"),
    ("NHSD-End-User-Organisation", True, "identifier"),
    ("NHSD-Requesting-Software", True, "identifier"),
    ("NHSD-Requesting-Practitioner", False, "identifier"),
)
USE_CONTEXT = "use-context"


def check_headers(request: Request) -> Iterator[Check]:
    """Ids, the NHSD headers, Accept, and use-context of a message."""
    for name in IDS:
        yield look(RULE, _is_uuid(request.header(name)), f"{name} is a UUID", f"{name} is missing or no UUID")
    if not request.raw_path.endswith(("/metadata", "/MessageDefinition")):
        yield from _nhsd(request)
    accept = request.header("Accept")
    yield look("4", "version=" in accept, "Accept names a version", "Accept names no version", note=True)
    if request.method == "POST":
        parts = request.header(USE_CONTEXT).split("|")
        wrong = f"{USE_CONTEXT} is not <use case>|<category>|<event>|<reason>"
        yield look(
            RULE, len(parts) == 4 and all(parts), f"{USE_CONTEXT} has its four parts", wrong, note=True
        )


def decoded(header: str) -> Any:
    """The JSON in a base64 header; None when there is none."""
    try:
        return orjson.loads(base64.b64decode(header.encode("ascii", "ignore"), validate=False))
    except (binascii.Error, orjson.JSONDecodeError):
        return None


def _nhsd(request: Request) -> Iterator[Check]:
    for name, needed, member in NHSD:
        sent = request.header(name)
        if not sent and not needed:
            continue
        content = decoded(sent)
        sound = isinstance(content, dict) and bool(content.get(member))
        yield look(RULE, sound, f"{name} decodes", f"{name} is missing, or no base64 of JSON with {member}")


def _is_uuid(text: str) -> bool:
    try:
        return str(UUID(text)) == text.lower()
    except ValueError:
        return False
