"""What a catalogue would change: compared with what is known before anything is written, and told in words.

Pure.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any
from uuid import UUID

from directory.catalogue.entries import Catalogue, EndpointEntry, Faults, Reach, ServiceEntry

KINDS = {"added": "New", "changed": "Changed", "removed": "Made inactive"}
# {"name": (before, after)}
Fields = dict[str, tuple[Any, Any]]
WayKey = tuple[str, UUID | None]


@dataclass(frozen=True, slots=True)
class KnownService:
    """A service of the directory. `values` are by name of the model's field, with the provider's ODS code."""

    key: UUID
    source: str
    hosted: bool
    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class KnownEndpoint:
    key: UUID
    source: str
    values: Mapping[str, Any]


@dataclass(frozen=True)
class Known:
    """By service id; endpoints by service id and their id in a catalogue, if they have one."""

    services: Mapping[str, KnownService]
    endpoints: Mapping[WayKey, KnownEndpoint]


@dataclass(frozen=True, slots=True)
class Row:
    """One row to insert (`key` is None) or to update, with the fields that differ."""

    key: UUID | None
    fields: Fields

    @property
    def after(self) -> dict[str, Any]:
        return {name: after for name, (_, after) in self.fields.items()}


@dataclass(frozen=True, slots=True)
class Change:
    """One service that differs: added, changed or removed. `service` is None when only endpoints differ."""

    kind: str
    service_id: str
    service: Row | None
    endpoints: tuple[tuple[UUID | None, Row], ...]

    def fields(self) -> Fields:
        """Everything that differs, endpoints' fields by "endpoint address"."""
        found: Fields = dict(self.service.fields) if self.service else {}
        for number, (_, way) in enumerate(self.endpoints):
            prefix = "endpoint" if number == 0 else f"endpoint {number + 1}"
            found.update({f"{prefix} {name}": pair for name, pair in way.fields.items()})
        return found


@dataclass(frozen=True)
class Difference:
    """`unchanged` counts services that are as the catalogue says, `left_out` those beyond its reach."""

    changes: tuple[Change, ...]
    unchanged: int
    left_out: int = 0

    @property
    def counts(self) -> dict[str, int]:
        kinds = {kind: sum(change.kind == kind for change in self.changes) for kind in KINDS}
        return {**kinds, "unchanged": self.unchanged}

    @property
    def fingerprint(self) -> str:
        """The same for the same differences: what was shown is what is applied."""
        digest = hashlib.sha256()
        for change in self.changes:
            digest.update(repr((change.kind, change.service_id, sorted(change.fields().items()))).encode())
        return digest.hexdigest()


SERVICE: dict[str, str] = {
    "name": "varchar",
    "service_type": "varchar",
    "active": "boolean",
    "address_lines": "jsonb",
    "postcode": "varchar",
    "phone": "varchar",
    "accepted_use_cases": "varchar[]",
    "takes_bookings": "boolean",
    "takes_referrals": "boolean",
    "requires_booking": "boolean",
    "allowed_callers": "varchar[]",
    "opening_hours": "jsonb",
    "bank_holiday_hours": "jsonb",
    "referral_roles": "varchar[]",
    "catchment_miles": "float8",
    "catalogue_id": "uuid",
    "source": "varchar",
}
ENDPOINT: dict[str, str] = {
    "name": "varchar",
    "status": "varchar",
    "connection_type": "varchar",
    "payload_type": "varchar",
    "address": "varchar",
    "private": "boolean",
    "period_start": "timestamptz",
    "period_end": "timestamptz",
    "catalogue_id": "uuid",
    "source": "varchar",
}
# What a new row is where its source does not say.
NEW_SERVICE = {
    "service_type": "other",
    "active": True,
    "address_lines": [],
    "postcode": "",
    "phone": "",
    "accepted_use_cases": [],
    "takes_bookings": True,
    "takes_referrals": False,
    "requires_booking": False,
    "allowed_callers": [],
    "opening_hours": {},
    "bank_holiday_hours": None,
    "referral_roles": [],
    "catchment_miles": None,
    "catalogue_id": None,
}
NEW_ENDPOINT = {
    "connection_type": "hl7-fhir-rest",
    "payload_type": "bars",
    "private": False,
    "period_start": None,
    "period_end": None,
    "catalogue_id": None,
}

_OFF = "off"


def compare(catalogue: Catalogue, known: Known, *, reach: Reach, provider: str = "") -> Difference:
    """`provider`: ODS code for new services that name nobody. Raises BadCatalogue when one is missing.

    Of services outside `reach` nothing is said, not even whether they are as the catalogue says.
    """
    entries = _within(catalogue, known, provider, reach)
    _refuse_nobody(entries, known, provider)
    ways = _ways_by_service(catalogue.endpoints)
    known_ways = _known_ways(known.endpoints)
    changes = [
        change
        for entry in entries
        if (
            change := _change(
                catalogue.source,
                entry,
                ways.get(entry.service_id, []),
                known.services.get(entry.service_id),
                known_ways.get(entry.service_id, {}),
                provider,
            )
        )
    ]
    _refuse_contradictions(changes, known)
    gone = list(_gone(catalogue, known, reach))
    left_out = len(catalogue.services) - len(entries)
    return Difference((*changes, *gone), len(entries) - len(changes), left_out)


def _within(catalogue: Catalogue, known: Known, provider: str, reach: Reach) -> list[ServiceEntry]:
    """The entries that may count. A list of somebody's own services must have none besides.

    Catalogues of the whole country have them all, and from those the others are left out.
    """
    faults, entries = Faults(), list[ServiceEntry]()
    for entry in catalogue.services:
        if _is_within(catalogue.source, entry, known.services.get(entry.service_id), provider, reach):
            entries.append(entry)
        elif catalogue.source == "csv":
            faults.add(f"Service {entry.service_id}", "another organisation provides it, so it is not yours")
    faults.raise_if_any()
    return entries


def _is_within(
    source: str, entry: ServiceEntry, known: KnownService | None, provider: str, reach: Reach
) -> bool:
    """Whose it is, and whose it would be."""
    if known is None:
        return reach.covers(provider=entry.provider or provider, hosted=False)
    before = str(known.values["provider"])
    stays = known.hosted and source != "csv"
    after = before if stays else entry.provider or before
    return all(reach.covers(provider=each, hosted=known.hosted) for each in (before, after))


def _refuse_nobody(entries: Iterable[ServiceEntry], known: Known, provider: str) -> None:
    faults = Faults()
    for entry in entries:
        if not (entry.provider or provider or entry.service_id in known.services):
            faults.add(f"Service {entry.service_id}", "it is new and names no organisation; say whose it is")
    faults.raise_if_any()


def _refuse_contradictions(changes: Iterable[Change], known: Known) -> None:
    """What the list says and what is known of a service may not fit together."""
    faults = Faults()
    for change in changes:
        there = known.services.get(change.service_id)
        values = {
            "takes_bookings": True,
            **(there.values if there else {}),
            **(change.service.after if change.service else {}),
        }
        if values.get("requires_booking") and not values["takes_bookings"]:
            faults.add(f"Service {change.service_id}", "a service that requires a booking must take bookings")
    faults.raise_if_any()


def _change(
    source: str,
    entry: ServiceEntry,
    ways: list[EndpointEntry],
    known: KnownService | None,
    known_ways: Mapping[UUID | None, KnownEndpoint],
    provider: str,
) -> Change | None:
    service = _new(source, entry, provider) if known is None else _differing(source, entry, known)
    owner = entry.provider or (str(known.values["provider"]) if known else provider)
    endpoints = [*_ways(source, ways, known_ways, owner), *_ways_gone(source, ways, known_ways)]
    if known is None:
        return Change("added", entry.service_id, service, tuple(endpoints))
    if service is None and not endpoints:
        return None
    return Change("changed", entry.service_id, service, tuple(endpoints))


def _new(source: str, entry: ServiceEntry, provider: str) -> Row:
    said = {"name": f"Service {entry.service_id}", "provider": provider, **_said(entry), "source": source}
    return Row(None, {name: (None, value) for name, value in said.items()})


def _differing(source: str, entry: ServiceEntry, known: KnownService) -> Row | None:
    """Who a hosted service is, is said here: of other catalogues it takes only its id there."""
    said = _said(entry)
    if known.hosted and source != "csv":
        said = {name: value for name, value in said.items() if name == "catalogue_id"}
    elif known.source == source:
        said.setdefault("active", True)
    fields = {
        name: (known.values[name], value) for name, value in said.items() if known.values[name] != value
    }
    return Row(known.key, fields) if fields else None


def _said(entry: ServiceEntry) -> dict[str, Any]:
    said = dict(entry.said)
    if entry.provider:
        said["provider"] = entry.provider
    if entry.catalogue_id:
        said["catalogue_id"] = entry.catalogue_id
    return said


def _ways(
    source: str, ways: list[EndpointEntry], known: Mapping[UUID | None, KnownEndpoint], owner: str
) -> Iterator[tuple[UUID | None, Row]]:
    for way in ways:
        there = known.get(way.catalogue_id)
        said = {"status": "active", **way.said, "managing_organisation": way.managed_by or owner}
        if there is None:
            new = {"name": f"BaRS endpoint of {way.service_id}", "address": "", **said, "source": source}
            yield way.catalogue_id, Row(None, {name: (None, value) for name, value in new.items()})
            continue
        said = (
            said
            if way.managed_by
            else {**said, "managing_organisation": there.values["managing_organisation"]}
        )
        fields = {
            name: (there.values[name], value) for name, value in said.items() if there.values[name] != value
        }
        if fields:
            yield way.catalogue_id, Row(there.key, fields)


def _ways_gone(
    source: str, ways: list[EndpointEntry], known: Mapping[UUID | None, KnownEndpoint]
) -> Iterator[tuple[UUID | None, Row]]:
    """Endpoints of this source that it no longer names are switched off, not deleted."""
    named = {way.catalogue_id for way in ways}
    for key, there in known.items():
        if there.source == source and key not in named and there.values["status"] != _OFF:
            yield key, Row(there.key, {"status": (there.values["status"], _OFF)})


def _gone(catalogue: Catalogue, known: Known, reach: Reach) -> Iterator[Change]:
    """Services of this source that it no longer names become inactive: messages may point at them."""
    named = {entry.service_id for entry in catalogue.services}
    for service_id, there in known.services.items():
        asked = catalogue.organisations is None or there.values["provider"] in catalogue.organisations
        asked = asked and reach.covers(provider=str(there.values["provider"]), hosted=there.hosted)
        if there.source == catalogue.source and asked and service_id not in named and there.values["active"]:
            yield Change("removed", service_id, Row(there.key, {"active": (True, False)}), ())


def _ways_by_service(ways: Iterable[EndpointEntry]) -> dict[str, list[EndpointEntry]]:
    found: dict[str, list[EndpointEntry]] = {}
    for way in ways:
        found.setdefault(way.service_id, []).append(way)
    return found


def _known_ways(ways: Mapping[WayKey, KnownEndpoint]) -> dict[str, dict[UUID | None, KnownEndpoint]]:
    found: dict[str, dict[UUID | None, KnownEndpoint]] = {}
    for (service_id, key), way in ways.items():
        found.setdefault(service_id, {})[key] = way
    return found


# -- in words, for pages and commands alike

# Of no use to people who decide about a catalogue.
_UNSAID = frozenset({"source", "catalogue_id", "endpoint source"})


def summary(counts: Mapping[str, int]) -> str:
    """ "3 new, 1 changed, 0 made inactive, 12 as they were" """
    return (
        f"{counts['added']:,} new, {counts['changed']:,} changed, {counts['removed']:,} made inactive, "
        f"{counts['unchanged']:,} as they were"
    )


def described(difference: Difference, *, most: int) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """(service id, what happens to it, a sentence for each field), the first `most` of them."""
    return (
        (each.service_id, KINDS[each.kind], tuple(field_sentences(each.fields(), new=each.kind == "added")))
        for each in islice(difference.changes, most)
    )


def field_sentences(fields: Mapping[str, Any], *, new: bool) -> Iterator[str]:
    """ "name: Old, now New". `fields` are pairs of before and after."""
    for name, (before, after) in fields.items():
        if name in _UNSAID or name.endswith(("catalogue_id", "source")):
            continue
        label = name.replace("_", " ")
        yield f"{label}: {_value(after)}" if new else f"{label}: {_value(before)}, now {_value(after)}"


def _value(value: Any) -> str:
    if value in (None, "", [], {}):
        return "nothing"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return value.isoformat(timespec="minutes")
    if isinstance(value, list):
        return ", ".join("-".join(map(str, each)) if isinstance(each, list) else str(each) for each in value)
    if isinstance(value, dict):
        return "; ".join(f"{key} {_value(each) if each else 'closed'}" for key, each in value.items())
    return str(value)
