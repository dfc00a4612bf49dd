"""The catalogue as the live proxy reads it: {"NHSD-Target-Identifier": {system: {service id: base address}}}.

Source: api.md section 5, "Routing today". It says nothing about a service but where its messages go.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from bars_portal.exchange.fhir.identifiers import SERVICE_ID_SYSTEM, InvalidIdentifier, ServiceID, same_system
from directory.catalogue.entries import (
    MOST_SERVICES,
    AddressRules,
    Catalogue,
    EndpointEntry,
    Faults,
    ServiceEntry,
    read_text,
    refuse,
)

HEADER = "NHSD-Target-Identifier"
SOURCE = "routes"


class _Pairs(list[tuple[str, Any]]):
    """A JSON object with its keys in order, those that are there twice too."""


def read_routes(content: bytes, *, addresses: AddressRules) -> Catalogue:
    """Raises BadCatalogue with a path, and where it is known a line, for everything that is wrong."""
    text = read_text(content)
    faults = Faults()
    found: dict[str, str] = {}
    for system, entries in _systems(_load(text), faults):
        # What is no DoS service is left out.
        for key, address in entries if same_system(system, SERVICE_ID_SYSTEM) else ():
            _read_entry(key, address, _Reading(text, system, addresses, faults, found))
    faults.raise_if_any()
    if not found:
        raise refuse(HEADER, f"there is no service under {SERVICE_ID_SYSTEM}")
    return Catalogue(
        SOURCE,
        tuple(ServiceEntry(service_id, {}) for service_id in found),
        tuple(EndpointEntry(key, {"address": address, "private": False}) for key, address in found.items()),
    )


@dataclass(frozen=True)
class _Reading:
    """Where we are, and what was read so far."""

    text: str
    system: str
    addresses: AddressRules
    faults: Faults
    found: dict[str, str]

    def fault(self, key: str, reason: str, *, again: bool = False) -> None:
        # Looking for a line reads the whole text: not for faults that nobody will see.
        line = None if self.faults.full else _line_of(self.text, key, again=again)
        path = f"{HEADER}.{self.system}.{key[:40]}"
        self.faults.add(f"Line {line}, {path}" if line else path, reason)


def _read_entry(key: str, address: object, reading: _Reading) -> None:
    try:
        service_id = ServiceID.parse(key).value
    except InvalidIdentifier:
        return reading.fault(key, "this is no DoS service id, which has 1 to 20 digits")
    if service_id in reading.found:
        return reading.fault(key, "this service is there twice", again=True)
    if len(reading.found) >= MOST_SERVICES:
        raise refuse(HEADER, f"there are more than {MOST_SERVICES:,} services")
    mine = Faults()
    reading.found[service_id] = reading.addresses.note(address, key, mine)
    for reason in mine.reasons():
        reading.fault(key, reason)
    return None


def _pairs(members: list[tuple[str, Any]]) -> _Pairs:
    """Raises UnicodeEncodeError: a name with half a character can be escaped in JSON, and written nowhere."""
    for name, _ in members:
        name.encode()
    return _Pairs(members)


def _load(text: str) -> _Pairs:
    try:
        loaded = json.loads(text, object_pairs_hook=_pairs)
    except json.JSONDecodeError as fault:
        raise refuse(f"Line {fault.lineno}, column {fault.colno}", f"this is no JSON ({fault.msg})") from None
    except UnicodeEncodeError:
        raise refuse("File", "a name holds half a character, such as \\ud800") from None
    except (RecursionError, ValueError):
        raise refuse("File", "it is nested too deeply, or holds a number that is too long") from None
    if not isinstance(loaded, _Pairs):
        raise refuse("Line 1", f'the file must hold an object with the member "{HEADER}"')
    return loaded


def _systems(loaded: _Pairs, faults: Faults) -> Iterator[tuple[str, _Pairs]]:
    headers = [value for key, value in loaded if key == HEADER]
    if len(headers) != 1 or not isinstance(headers[0], _Pairs):
        raise refuse(HEADER, "this member must be there once and hold an object of systems")
    seen: list[str] = []
    for system, entries in headers[0]:
        if any(same_system(system, other) for other in seen):
            faults.add(f"{HEADER}.{system}", "this system is there twice")
        elif not isinstance(entries, _Pairs):
            faults.add(f"{HEADER}.{system}", "a system must hold an object of service ids and addresses")
        else:
            yield system, entries
        seen.append(system)


def _line_of(text: str, key: str, *, again: bool) -> int | None:
    """The line of a key as it is usually written; None when it is written with escapes."""
    places = [match.start() for match in re.finditer(re.escape(json.dumps(key)) + r"\s*:", text)]
    if not places:
        return None
    return text.count("\n", 0, places[1] if again and len(places) > 1 else places[0]) + 1
