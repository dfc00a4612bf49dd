"""Where it happened, or where somebody waits (FHIR Location; standard section 6, location)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Self

from pydantic import Field, StringConstraints, model_validator
from pydantic import dataclasses as checked

from bars_portal.correspondence.entries import Entry
from bars_portal.exchange.fhir import profiles
from bars_portal.exchange.fhir.bundle import MessageBundle, Resource
from bars_portal.exchange.fhir.codes import LocationType
from bars_portal.exchange.fhir.json import (
    as_dict,
    as_list,
    as_text,
    decimal_text,
    dicts,
    extension,
    parse_decimal,
)
from bars_portal.exchange.fhir.rules.case import Where
from bars_portal.exchange.fhir.timestamps import format_instant
from bars_portal.values import InvalidValue, read_postcode
from referrals.cases.codes import STRICT, Line, LineOrNone, Moment, WordsOrNone
from referrals.cases.wire import HeldRequest, head, instant
from referrals.parts.base import Frame, code_in, each_tried, filled, require

_Digits = Annotated[str, StringConstraints(pattern=r"^(?:[0-9]{1,12})?$")]
_Percent = Annotated[str, StringConstraints(pattern=r"^(?:100|[0-9]{1,2})?$")]
# Metres on the national grid.
_Grid = Annotated[str, StringConstraints(pattern=r"^(?:[0-9]{1,7}(?:\.[0-9]{1,6})?)?$")]
_ThreeWords = Annotated[str, StringConstraints(pattern=r"^(?:[\p{L}]{1,40}(?:\.[\p{L}]{1,40}){2})?$")]


@checked.dataclass(frozen=True, config=STRICT)
class Position:
    """WGS 84, in degrees."""

    latitude: Annotated[Decimal, Field(ge=-90, le=90, decimal_places=8)]
    longitude: Annotated[Decimal, Field(ge=-180, le=180, decimal_places=8)]


@checked.dataclass(frozen=True, config=STRICT)
class Place:
    """A Location. `what3words` is without the slashes, `directions` are in words.

    `accuracy_percent`: how surely it is there. `confirmed_at`: T2; None while the place is provisional.
    """

    type: LocationType = LocationType.INCIDENT
    name: LineOrNone = ""
    address_lines: tuple[Line, ...] = ()
    town: LineOrNone = ""
    postcode: LineOrNone = ""
    uprn: _Digits = ""
    eastings: _Grid = ""
    northings: _Grid = ""
    what3words: _ThreeWords = ""
    position: Position | None = None
    accuracy_percent: _Percent = ""
    directions: WordsOrNone = ""
    confirmed_at: Moment | None = None

    @model_validator(mode="after")
    def _says_where(self) -> Self:
        if bool(self.eastings) != bool(self.northings):
            raise ValueError("Eastings and northings go together.")
        if not self.ways:
            raise ValueError("An address, UPRN, grid, what3words or position is needed.")
        return self

    @property
    def ways(self) -> frozenset[Where]:
        """In which ways it says where."""
        stated = {
            Where.UPRN: self.uprn,
            Where.ADDRESS: self.address_lines or self.town or self.postcode,
            Where.GRID: self.eastings,
            Where.POSITION: self.position,
            Where.WHAT3WORDS: self.what3words,
        }
        return frozenset(way for way, value in stated.items() if value)

    @property
    def says_where(self) -> bool:
        """As an incident must: an address needs its postcode."""
        return bool(self.postcode or self.ways - {Where.ADDRESS})

    def in_words(self) -> tuple[str, ...]:
        """Each way in which it says where."""
        at = self.position
        told = (
            self.name,
            *self.address_lines,
            self.town,
            self.postcode,
            self.directions,
            self.what3words,
            f"UPRN {self.uprn}" if self.uprn else "",
            f"easting {self.eastings}, northing {self.northings}" if self.eastings else "",
            f"latitude {at.latitude}, longitude {at.longitude}" if at else "",
        )
        return tuple(filter(None, told))


_GRID = ("uprn", "eastings", "northings", "what3words", "accuracy_percent")
# Names within LocationExtension.
_WIRE = {"uprn": "UPRN", "accuracy_percent": "accuracy"}


def place_part(number: int) -> str:
    """Under which name the place's fullUrl is derived."""
    return f"place {number}"


def confirmation(place: Place) -> Resource:
    """Of Encounter.location: nothing while the place is provisional, else active since T2."""
    if place.confirmed_at is None:
        return {}
    return {"status": "active", "period": {"start": format_instant(place.confirmed_at)}}


def incident_parts(places: Sequence[Place]) -> list[str]:
    return [place_part(n) for n, place in enumerate(places) if place.type is LocationType.INCIDENT]


def place_entries(frame: Frame, places: Sequence[Place]) -> list[Entry]:
    return [(frame.url(place_part(number)), _location(frame, each)) for number, each in enumerate(places)]


def _location(frame: Frame, place: Place) -> Resource:
    incident = place.type is LocationType.INCIDENT
    return filled(
        {
            **frame.head("Location", *(profiles.INCIDENT if incident else ())),
            "extension": _extension(place),
            "name": place.name,
            "description": place.directions,
            "type": [_type(place)],
            "address": _address(place.address_lines, place.town, place.postcode),
            "position": _position(place.position),
        }
    )


def _type(place: Place) -> Resource:
    """A place of another kind has words of its own."""
    words = place.name if place.type is LocationType.OTHER else ""
    return filled({"coding": [place.type.coding], "text": words})


def _address(lines: Sequence[str], town: str, postcode: str) -> Resource:
    """{} for none. Postcodes of ours are of this country; what has another form may be of any."""
    parts = [each for each in (*lines, town, postcode) if each.strip()]
    try:
        country = "UK" if postcode and read_postcode(postcode) else ""
    except InvalidValue:
        country = ""
    return filled(
        {
            "text": ", ".join(parts),
            "line": list(lines),
            "city": town,
            "postalCode": postcode,
            "country": country,
        }
    )


def _extension(place: "Place | CurrentPlace") -> list[Resource]:
    stated = {name: getattr(place, name, "") for name in _GRID}
    parts = [{"url": _WIRE.get(name, name), "valueString": value} for name, value in stated.items() if value]
    return [{"extension": parts, "url": profiles.EXTENSION_LOCATION}] if parts else []


def _position(position: Position | None) -> Resource:
    if position is None:
        return {}
    return {name: parse_decimal(format(getattr(position, name), "f")) for name in ("longitude", "latitude")}


_READ_GRID = {"UPRN": "uprn", "eastings": "eastings", "northings": "northings"}
_VALUES = ("valueString", "valueDecimal", "valueInteger", "valueCode")


def carried_places(bundle: MessageBundle) -> tuple[Place, ...]:
    """Places of a known kind; the practice of a slot or a department is none."""
    system = LocationType.INCIDENT.system
    found = (
        (kind, each)
        for each in bundle.of_type("Location")
        if (kind := LocationType.lookup(code_in(each.get("type"), system))) is not None
    )
    return each_tried(lambda each: _read_place(*each, _confirmed_at(bundle, each[1])), found)


def _confirmed_at(bundle: MessageBundle, place: Resource) -> datetime | None:
    """Of the first Encounter that says since when the place is active."""
    rows = (row for each in bundle.of_type("Encounter") for row in dicts(each.get("location")))
    found = (
        instant(as_dict(row.get("period")).get("start"))
        for row in rows
        if row.get("status") == "active" and bundle.resolve(row.get("location")) is place
    )
    return next(filter(None, found), None)


def _read_place(kind: LocationType, location: Resource, confirmed_at: datetime | None) -> Place:
    address = as_dict(location.get("address"))
    known = _read_extension(location)
    return Place(
        type=kind,
        name=as_text(location.get("name")),
        address_lines=tuple(line for each in as_list(address.get("line")) if (line := as_text(each).strip())),
        town=as_text(address.get("city")),
        postcode=as_text(address.get("postalCode")),
        what3words=known.get("what3words", "").lstrip("/"),
        position=_read_position(as_dict(location.get("position"))),
        directions=as_text(location.get("description")),
        accuracy_percent=_percent(known.get("accuracy", "")),
        confirmed_at=confirmed_at,
        **{ours: known.get(wire, "") for wire, ours in _READ_GRID.items()},
    )


def _percent(text: str) -> str:
    """ "" for what is none: other systems have sent metres."""
    whole = text.removesuffix("%").strip()
    return str(int(whole)) if whole.isascii() and whole.isdigit() and int(whole) <= 100 else ""


def _read_extension(location: Resource) -> dict[str, str]:
    """LocationExtension: each part by its name, as text."""
    parts = dicts(extension(location, profiles.EXTENSION_LOCATION).get("extension"))
    return {as_text(each.get("url")): _read_text(each) for each in parts}


def _read_text(part: Resource) -> str:
    value = next((part[name] for name in _VALUES if name in part), "")
    return decimal_text(value) if isinstance(value, int | float) else as_text(value)


def _read_position(position: Resource) -> Position | None:
    latitude, longitude = position.get("latitude"), position.get("longitude")
    if not (isinstance(latitude, int | float) and isinstance(longitude, int | float)):
        return None
    return Position(Decimal(decimal_text(latitude)), Decimal(decimal_text(longitude)))


@dataclass(frozen=True, slots=True)
class CurrentPlace:
    """Where the patient is now (Location). Every part may be ""; grid and position are decimals as text."""

    name: str = ""
    address_lines: tuple[str, ...] = ()
    city: str = ""
    postcode: str = ""
    uprn: str = ""
    eastings: str = ""
    northings: str = ""
    what3words: str = ""
    latitude: str = ""
    longitude: str = ""

    def __post_init__(self) -> None:
        pairs = ((self.eastings, self.northings), (self.latitude, self.longitude))
        require(all(bool(one) == bool(other) for one, other in pairs), "Give both parts of the position.")
        address = (*self.address_lines, self.city, self.postcode)
        known = (*address, self.uprn, self.what3words, self.eastings, self.latitude)
        require(any(each.strip() for each in known), "Say where the patient is.")


def location_entry(held: HeldRequest, place: CurrentPlace | None, *, now: datetime) -> list[Entry]:
    """The Location as it was sent, or the new place under its fullUrl; at most one."""
    known = held.of_types({"Location"})[:1]
    if place is None:
        return known
    url, before = known[0] if known else (held.part_url("place"), {})
    return [(url, _moved(before, place, now))]


def _moved(before: Resource, place: CurrentPlace, now: datetime) -> Resource:
    """Nothing of the old place stays but what does not say where: its type and id.

    The place of a validation is where the incident is, also where the requester has not said so.
    """
    others = [
        each for each in dicts(before.get("extension")) if each.get("url") != profiles.EXTENSION_LOCATION
    ]
    lines = [line for line in place.address_lines if line.strip()]
    degrees = {"longitude": place.longitude, "latitude": place.latitude} if place.latitude else {}
    location: Resource = {
        "resourceType": "Location",
        **({"id": before["id"]} if "id" in before else {}),
        "type": before.get("type") or [{"coding": [LocationType.INCIDENT.coding]}],
        "meta": head("Location", now, *profiles.INCIDENT)["meta"],
        "extension": [*others, *_extension(place)],
        "name": place.name,
        "address": _address(lines, place.city, place.postcode),
        "position": {name: parse_decimal(text) for name, text in degrees.items()},
    }
    return filled(location)
