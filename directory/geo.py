"""Distances between two places on the ground. Pure."""

from math import asin, cos, radians, sin, sqrt
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
