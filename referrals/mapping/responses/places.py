"""Where the patient is now, when the responder found out that it is somewhere else."""

from datetime import datetime

from bars_portal.correspondence.entries import Entry
from bars_portal.exchange.fhir.bundle import Resource
from bars_portal.exchange.fhir.json import parse_decimal
from bars_portal.exchange.fhir.profiles import EXTENSION_LOCATION, uk_core
from bars_portal.exchange.fhir.reading import dicts
from bars_portal.exchange.fhir.timestamps import format_instant
from referrals.content_answers import Place
from referrals.mapping.responses.held import HeldRequest

_GRID = (
    ("UPRN", "uprn"),
    ("eastings", "eastings"),
    ("northings", "northings"),
    ("what3words", "what3words"),
)


def location_entry(held: HeldRequest, place: Place | None, *, now: datetime) -> list[Entry]:
    """The Location as it was sent, or the new place under its fullUrl; at most one."""
    known = held.of_types({"Location"})[:1]
    if place is None:
        return known
    url, before = known[0] if known else (held.part_url("place"), {})
    return [(url, _moved(before, place, now))]


def _moved(before: Resource, place: Place, now: datetime) -> Resource:
    """Nothing of the old place stays but what does not say where: its type and id."""
    kept: Resource = {name: before[name] for name in ("id", "type") if name in before}
    location: Resource = {
        "resourceType": "Location",
        **kept,
        "meta": {"lastUpdated": format_instant(now), "profile": [uk_core("Location")]},
        "extension": [*_other_extensions(before), *_grid(place)],
        "name": place.name,
        "address": _address(place),
        "position": _position(place),
    }
    return {name: each for name, each in location.items() if each not in ("", [], {})}


def _other_extensions(before: Resource) -> list[Resource]:
    return [each for each in dicts(before.get("extension")) if each.get("url") != EXTENSION_LOCATION]


def _grid(place: Place) -> list[Resource]:
    parts = [{"url": url, "valueString": str(getattr(place, name))} for url, name in _GRID]
    given = [each for each in parts if each["valueString"]]
    return [{"url": EXTENSION_LOCATION, "extension": given}] if given else []


def _address(place: Place) -> Resource:
    address = {
        "line": [line for line in place.address_lines if line.strip()],
        "city": place.city,
        "postalCode": place.postcode,
    }
    return {name: each for name, each in address.items() if each}


def _position(place: Place) -> Resource:
    if not place.latitude:
        return {}
    return {"longitude": parse_decimal(place.longitude), "latitude": parse_decimal(place.latitude)}
