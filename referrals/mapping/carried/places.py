"""Where it happened, and other places of the case (Location; standard section 6, location)."""

from decimal import Decimal

from bars_portal.exchange.fhir import profiles
from bars_portal.exchange.fhir.bundle import MessageBundle, Resource
from bars_portal.exchange.fhir.codes import LocationType
from bars_portal.exchange.fhir.json import decimal_text
from bars_portal.exchange.fhir.reading import as_dict, as_list, as_text, dicts, extension
from referrals.content import Place, Position
from referrals.mapping.carried.reading import code_in, each_tried

_GRID = {"UPRN": "uprn", "eastings": "eastings", "northings": "northings", "accuracy": "accuracy"}
_VALUES = ("valueString", "valueDecimal", "valueInteger", "valueCode")


def carried_places(bundle: MessageBundle) -> tuple[Place, ...]:
    """Places of a known kind; the practice of a slot or a department is none."""
    system = LocationType.INCIDENT.system
    found = (
        (kind, each)
        for each in bundle.of_type("Location")
        if (kind := LocationType.lookup(code_in(each.get("type"), system))) is not None
    )
    return each_tried(_place, found)


def _place(found: tuple[LocationType, Resource]) -> Place:
    kind, location = found
    address = as_dict(location.get("address"))
    known = _extension(location)
    return Place(
        type=kind,
        name=as_text(location.get("name")),
        address_lines=tuple(line for each in as_list(address.get("line")) if (line := as_text(each).strip())),
        town=as_text(address.get("city")),
        postcode=as_text(address.get("postalCode")),
        what3words=known.get("what3words", "").lstrip("/"),
        position=_position(as_dict(location.get("position"))),
        directions=as_text(location.get("description")),
        **{ours: known.get(wire, "") for wire, ours in _GRID.items()},
    )


def _extension(location: Resource) -> dict[str, str]:
    """LocationExtension: each part by its name, as text."""
    parts = dicts(extension(location, profiles.EXTENSION_LOCATION).get("extension"))
    return {as_text(each.get("url")): _text(each) for each in parts}


def _text(part: Resource) -> str:
    value = next((part[name] for name in _VALUES if name in part), "")
    return decimal_text(value) if isinstance(value, int | float) else as_text(value)


def _position(position: Resource) -> Position | None:
    latitude, longitude = position.get("latitude"), position.get("longitude")
    if not (isinstance(latitude, int | float) and isinstance(longitude, int | float)):
        return None
    return Position(Decimal(decimal_text(latitude)), Decimal(decimal_text(longitude)))
