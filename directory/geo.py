"""Distances between two places on the ground. Pure."""

from math import asin, cos, degrees, radians, sin, sqrt
from typing import NamedTuple

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
