"""Places on the ground: positions and distances, UK postcodes, and the file that says where each is. Pure."""

import csv
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from math import asin, cos, degrees, radians, sin, sqrt
from typing import NamedTuple, Self

from bars_portal.values import SHORTENED, InvalidValue, read_decimal, read_postcode

_EARTH_RADIUS_MILES = 3958.7613


class Position(NamedTuple):
    """Degrees, WGS 84."""

    latitude: float
    longitude: float


def distance_miles(one: Position, other: Position) -> float:
    """The great-circle (haversine) distance in miles."""
    lat_one, lat_other = radians(one.latitude), radians(other.latitude)
    half_lat = (lat_other - lat_one) / 2
    half_lon = radians(other.longitude - one.longitude) / 2
    chord = sin(half_lat) ** 2 + cos(lat_one) * cos(lat_other) * sin(half_lon) ** 2
    # Rounding may leave the chord of two antipodes a hair above 1.
    return 2 * _EARTH_RADIUS_MILES * asin(min(1.0, sqrt(chord)))


def is_on_the_globe(position: Position) -> bool:
    """False for NaN too."""
    return -90 <= position.latitude <= 90 and -180 <= position.longitude <= 180


def surroundings(here: Position, miles: float) -> tuple[Position, Position]:
    """The south-west and north-east corners of a rectangle that holds everything within so many miles."""
    # A hair more than the radius: what lies exactly on it belongs to it.
    angle = degrees(miles / _EARTH_RADIUS_MILES) * 1.000001 + 1e-9
    south, north = here.latitude - angle, here.latitude + angle
    widest = cos(radians(min(90.0, max(abs(south), abs(north)))))
    east = degrees(asin(min(1.0, sin(radians(min(angle, 90.0))) / widest))) if widest > 0 else 180.0
    east = east * 1.000001 + 1e-9
    # Around a pole, or across the date line, every longitude may be near.
    if angle >= 90 or max(abs(south), abs(north)) >= 90 or abs(here.longitude) + east > 180:
        return Position(max(south, -90.0), -180.0), Position(min(north, 90.0), 180.0)
    return Position(south, here.longitude - east), Position(north, here.longitude + east)


_INWARD_LENGTH = 3


class InvalidPostcode(ValueError):
    """The text is no UK postcode, nor the first half of one; the message never holds it."""


@dataclass(frozen=True, slots=True)
class UKPostcode:
    """ "LS1 4AP" is outward LS1 and inward 4AP; the inward half is "" when only the outward is known."""

    outward: str
    inward: str = ""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Blanks, hyphens and case do not matter. Raises InvalidPostcode."""
        try:
            normal = read_postcode(text, outward=True)
        except InvalidValue as fault:
            raise InvalidPostcode(str(fault)) from None
        outward, _, inward = normal.partition(" ")
        return cls(outward, inward)

    @property
    def is_whole(self) -> bool:
        return bool(self.inward)

    @property
    def compact(self) -> str:
        """LS14AP: the key of the postcode table."""
        return self.outward + self.inward

    @property
    def length_when_whole(self) -> int:
        """How long the compact form of each postcode of this outward half is."""
        return len(self.outward) + _INWARD_LENGTH

    def __str__(self) -> str:
        return f"{self.outward} {self.inward}".strip()


_POSTCODE_COLUMNS = ("pcds", "pcd", "pcd2")
# The ONS writes 99.999999 for "no grid reference".
_NO_LATITUDE = 99.0


class PostcodeRow(NamedTuple):
    """One live postcode. `code` has no blanks: LS14AP."""

    code: str
    latitude: float
    longitude: float


class Skipped(Enum):
    TERMINATED = "terminated"
    NO_POSITION = "without a position"


class BadPostcodeFile(ValueError):
    """The file cannot be read; the message names the line and the column."""


def read_postcodes(lines: Iterable[str]) -> Iterator[PostcodeRow | Skipped]:
    """Raises BadPostcodeFile at the first line that cannot be understood, or for missing columns."""
    reader = csv.reader(lines, strict=True)
    try:
        columns = _columns(next(reader, []))
        for cells in reader:
            if cells:
                yield _read_row(reader.line_num, cells, columns)
    except csv.Error as fault:
        raise BadPostcodeFile(f"Line {reader.line_num}: this is not CSV ({fault}).") from None


def _columns(header: list[str]) -> dict[str, int]:
    """Where the needed columns are; names count without case and byte-order mark."""
    found = {name.strip().lstrip("\ufeff").lower(): index for index, name in enumerate(header)}
    postcode = next((name for name in _POSTCODE_COLUMNS if name in found), None)
    missing = [name for name in ("lat", "long") if name not in found]
    if postcode is None:
        missing.insert(0, "pcds (or pcd)")
    if missing or postcode is None:
        raise BadPostcodeFile(f"Line 1: the header lacks the column {', '.join(missing)}.")
    wanted = {"postcode": found[postcode], "lat": found["lat"], "long": found["long"]}
    return {**wanted, "doterm": found["doterm"]} if "doterm" in found else wanted


def _read_row(line: int, cells: list[str], columns: Mapping[str, int]) -> PostcodeRow | Skipped:
    if len(cells) <= max(columns.values()):
        raise BadPostcodeFile(f"Line {line}: too few columns.")
    values = {name: cells[index].strip() for name, index in columns.items()}
    if values.get("doterm"):
        return Skipped.TERMINATED
    latitude, longitude = (_number(line, name, values[name]) for name in ("lat", "long"))
    if latitude is None or longitude is None or latitude > _NO_LATITUDE:
        return Skipped.NO_POSITION
    if not is_on_the_globe(Position(latitude, longitude)):
        raise BadPostcodeFile(f"Line {line}: lat and long are not a place on the globe.")
    return PostcodeRow(_code(line, values["postcode"]), latitude, longitude)


def _number(line: int, column: str, text: str) -> float | None:
    if not text:
        return None
    try:
        return read_decimal(text)
    except InvalidValue as fault:
        words = f"is not whole: {SHORTENED}" if fault.code == "shortened" else "is not a number"
        raise BadPostcodeFile(f"Line {line}: the column {column} {words}.") from None


def _code(line: int, text: str) -> str:
    try:
        postcode = UKPostcode.parse(text)
    except InvalidPostcode:
        postcode = None
    if postcode is None or not postcode.is_whole:
        raise BadPostcodeFile(f"Line {line}: this is not a whole postcode.")
    return postcode.compact
