"""Location: where it is, by address, LocationExtension and position (BARSLocation-incident-location)."""

from bars_portal.exchange.fhir import profiles
from bars_portal.exchange.fhir.bundle import Resource
from bars_portal.exchange.fhir.codes import LocationType, MessageCategory
from bars_portal.exchange.fhir.json import parse_decimal
from referrals.content import Place, Position, RequestContent
from referrals.mapping.requests.frame import Entry, Frame, filled

_GRID = ("uprn", "eastings", "northings", "what3words", "accuracy")
# Names within LocationExtension.
_WIRE = {"uprn": "UPRN"}


def place_part(number: int) -> str:
    """Under which name the place's fullUrl is derived."""
    return f"place {number}"


def place_entries(frame: Frame, content: RequestContent) -> list[Entry]:
    validates = content.category is MessageCategory.VALIDATION
    return [
        (frame.url(place_part(number)), _location(frame, place, validates=validates))
        for number, place in enumerate(content.places)
    ]


def _location(frame: Frame, place: Place, *, validates: bool) -> Resource:
    """The definition of a validation names the plain UK Core profile."""
    incident = place.type is LocationType.INCIDENT and not validates
    return filled(
        {
            **frame.head("Location", profiles.LOCATION_INCIDENT if incident else ""),
            "extension": _extension(place),
            "name": place.name,
            "description": place.directions,
            "type": [{"coding": [place.type.coding]}],
            "address": filled(
                {"line": list(place.address_lines), "city": place.town, "postalCode": place.postcode}
            ),
            "position": _position(place.position),
        }
    )


def _extension(place: Place) -> list[Resource]:
    parts = [
        {"url": _WIRE.get(name, name), "valueString": getattr(place, name)}
        for name in _GRID
        if getattr(place, name)
    ]
    return [{"extension": parts, "url": profiles.EXTENSION_LOCATION}] if parts else []


def _position(position: Position | None) -> Resource:
    if position is None:
        return {}
    return {name: parse_decimal(format(getattr(position, name), "f")) for name in ("longitude", "latitude")}
