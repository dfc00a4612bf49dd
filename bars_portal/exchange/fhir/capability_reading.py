"""What another system's CapabilityStatement says, read leniently (standard sections 7 and 8). Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from bars_portal.exchange.fhir.profiles import STANDARD_VERSION
from bars_portal.exchange.fhir.reading import as_dict, as_text, dicts

_NUMBERS = re.compile(r"v?(\d{1,6})(?:\.(\d{1,6}))?(?:\.(\d{1,6}))?(?![\d.])")


@dataclass(frozen=True)
class StatedCapability:
    """`version` is CapabilityStatement.version, which is that of the standard; "" when it is not told.

    `definitions` are the last parts of messaging.supportedMessage.definition that it receives, sorted;
    None when it lists no messages at all, which is no statement against any.
    """

    version: str
    definitions: tuple[str, ...] | None


def read_capability_statement(statement: dict[str, Any]) -> StatedCapability:
    return StatedCapability(as_text(statement.get("version")).strip()[:20], _definitions(statement))


def agreed_version(theirs: str, ours: str = STANDARD_VERSION) -> str:
    """The highest version that both know: of one major the lower number; "" when the majors differ.

    A version that is not told, or cannot be read, is taken for ours: many receivers say nothing.
    """
    told, known = _numbers(theirs), _numbers(ours)
    if told is None or known is None:
        return ours
    if told[0] != known[0]:
        return ""
    return ".".join(map(str, min(told, known)))


def _definitions(statement: dict[str, Any]) -> tuple[str, ...] | None:
    messages = [
        message
        for messaging in dicts(statement.get("messaging"))
        for message in dicts(messaging.get("supportedMessage"))
    ]
    received = (each for each in messages if as_text(as_dict(each).get("mode")) == "receiver")
    addresses = (as_text(each.get("definition")).partition("|")[0] for each in received)
    names = {address.rstrip("/").rpartition("/")[2] for address in addresses} - {""}
    return tuple(sorted(names)) if messages else None


def _numbers(version: str) -> tuple[int, int, int] | None:
    found = _NUMBERS.match(version.strip())
    if found is None:
        return None
    major, minor, patch = (int(part or 0) for part in found.groups())
    return major, minor, patch
