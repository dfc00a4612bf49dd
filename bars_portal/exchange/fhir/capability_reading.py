"""What another system's CapabilityStatement says, read leniently (standard sections 7 and 8). Pure."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from bars_portal.exchange.fhir.profiles import KNOWN_VERSIONS
from bars_portal.exchange.fhir.reading import as_dict, as_text, dicts

_NUMBERS = re.compile(r"v?(\d{1,6})(?:\.(\d{1,6}))?(?:\.(\d{1,6}))?(?![\d.])")


@dataclass(frozen=True)
class StatedCapability:
    """`version` is CapabilityStatement.version, which is that of the standard; "" when it is not told.

    `definitions` are the last parts of messaging.supportedMessage.definition that it receives, sorted;
    None when it lists no messages at all, which is no statement against any. `formats` are those of
    CapabilityStatement.format, in small letters, sorted; None when it names none.
    """

    version: str
    definitions: tuple[str, ...] | None
    formats: tuple[str, ...] | None = None


def read_capability_statement(statement: dict[str, Any]) -> StatedCapability:
    version = as_text(statement.get("version")).strip()[:20]
    return StatedCapability(version, _definitions(statement), _formats(statement))


def agreed_version(theirs: str, ours: Collection[str] = KNOWN_VERSIONS) -> str:
    """The highest of `ours` that they know too: of their major, and no higher; "" when there is none.

    A version that is not told, or cannot be read, is taken for our highest: many receivers say nothing.
    """
    known = sorted(numbers for each in ours if (numbers := _numbers(each)) is not None)
    told = _numbers(theirs) or known[-1]
    both = [each for each in known if each[0] == told[0] and each <= told]
    return ".".join(map(str, both[-1])) if both else ""


def _definitions(statement: dict[str, Any]) -> tuple[str, ...] | None:
    messages = [
        message
        for messaging in dicts(statement.get("messaging"))
        for message in dicts(messaging.get("supportedMessage"))
    ]
    received = (each for each in messages if as_text(as_dict(each).get("mode")) == "receiver")
    addresses = (as_text(each.get("definition")).partition("|")[0] for each in received)
    names = {address.rstrip("/").rpartition("/")[2][:200] for address in addresses} - {""}
    return tuple(sorted(names)) if messages else None


def _formats(statement: dict[str, Any]) -> tuple[str, ...] | None:
    stated = statement.get("format")
    named = map(as_text, stated) if isinstance(stated, list) else ()
    return tuple(sorted({each.strip().lower()[:60] for each in named} - {""})) or None


def _numbers(version: str) -> tuple[int, int, int] | None:
    found = _NUMBERS.match(version.strip())
    if found is None:
        return None
    major, minor, patch = (int(part or 0) for part in found.groups())
    return major, minor, patch
