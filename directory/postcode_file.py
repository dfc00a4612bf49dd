"""Reads the ONS Postcode Directory (CSV): the columns pcds or pcd, lat, long, doterm. Pure, streaming."""

import csv
import math
from collections.abc import Iterable, Iterator, Mapping
from enum import Enum
from typing import NamedTuple

from directory.geo import Position, is_on_the_globe
from directory.postcodes import InvalidPostcode, UKPostcode

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
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise BadPostcodeFile(f"Line {line}: the column {column} is not a number.")
    return number


def _code(line: int, text: str) -> str:
    try:
        postcode = UKPostcode.parse(text)
    except InvalidPostcode:
        postcode = None
    if postcode is None or not postcode.is_whole:
        raise BadPostcodeFile(f"Line {line}: this is not a whole postcode.")
    return postcode.compact
