import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from directory.postcodes import Position, distance_miles, is_on_the_globe, surroundings

HALF_THE_EARTH = math.pi * 3958.7613

positions = st.builds(
    Position,
    st.floats(min_value=-90, max_value=90),
    st.floats(min_value=-180, max_value=180),
)


@pytest.mark.parametrize(
    ("one", "other", "miles"),
    [
        # Leeds to London, and Land's End to John o' Groats.
        (Position(53.7997, -1.5492), Position(51.5074, -0.1278), 169.0),
        (Position(50.0657, -5.7132), Position(58.6373, -3.0689), 602.7),
        (Position(0, 0), Position(0, 180), HALF_THE_EARTH),
        (Position(90, 0), Position(-90, 0), HALF_THE_EARTH),
        (Position(0, 179.5), Position(0, -179.5), 69.1),
    ],
)
def test_known_distances(one: Position, other: Position, miles: float) -> None:
    assert distance_miles(one, other) == pytest.approx(miles, rel=0.01)


@given(positions, positions)
def test_is_symmetric_and_bounded(one: Position, other: Position) -> None:
    miles = distance_miles(one, other)

    assert miles == pytest.approx(distance_miles(other, one), abs=1e-6)
    assert 0 <= miles <= HALF_THE_EARTH + 1e-6
    assert distance_miles(one, one) == 0


@given(positions, positions, positions)
def test_a_detour_is_never_shorter(one: Position, other: Position, third: Position) -> None:
    assert distance_miles(one, third) <= distance_miles(one, other) + distance_miles(other, third) + 1e-3


@pytest.mark.parametrize(
    ("latitude", "longitude", "on_it"),
    [(53.8, -1.5, True), (90, 180, True), (90.1, 0, False), (0, -180.1, False), (math.nan, 0, False)],
)
def test_knows_the_globe(latitude: float, longitude: float, on_it: bool) -> None:
    assert is_on_the_globe(Position(latitude, longitude)) is on_it


@given(positions, positions, st.floats(0, 13_000))
def test_the_surroundings_hold_everything_within_the_radius(
    here: Position, there: Position, miles: float
) -> None:
    south_west, north_east = surroundings(here, miles)
    within = (
        south_west.latitude <= there.latitude <= north_east.latitude
        and south_west.longitude <= there.longitude <= north_east.longitude
    )
    assert within or distance_miles(here, there) > miles


def test_the_surroundings_are_no_larger_than_need_be() -> None:
    south_west, north_east = surroundings(Position(54.0, -1.5), 10)
    assert north_east.latitude - south_west.latitude == pytest.approx(2 * 10 / 69.09, rel=0.01)
    assert north_east.longitude - south_west.longitude == pytest.approx(2 * 10 / 40.6, rel=0.01)
