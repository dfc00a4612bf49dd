"""A list of local services as CSV, one service a line; docs/how-to/import-a-catalogue.md has the columns.

An empty cell says nothing, so what is known stays; a single hyphen empties the value.
"""

import csv
import io
import re
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import Any

from bars_portal.exchange.fhir.codes import UseCase
from bars_portal.exchange.fhir.identifiers import InvalidIdentifier, ODSCode, ServiceID
from bars_portal.values import InvalidValue, read_postcode, read_service_phone
from directory.catalogue.entries import (
    MOST_SERVICES,
    AddressRules,
    Catalogue,
    EndpointEntry,
    Faults,
    ServiceEntry,
    read_text,
    refuse,
)
from directory.hours import InvalidHours, StoredHours, read_hours, read_spans

LONGEST_NAME = 200
# Values of directory.models.ServiceType, which a test holds to it.
TYPES = ("ed", "utc", "cas", "pharmacy", "ambulance", "hub", "other")
_EMPTY = "-"
_YES_NO = dict.fromkeys(("yes", "true", "y", "1"), True) | dict.fromkeys(("no", "false", "n", "0"), False)
_MOST_PARTS, _LONGEST_PART = 100, 100
_MOST_MILES = 1_000
_LONGEST_REPEATED = 500
_LONGEST_PHONE = 40


class BadCell(ValueError):
    """The cell cannot be understood; the message says what belongs there."""


def _parts(text: str) -> list[str]:
    """Values separated by semicolons."""
    parts = [] if text == _EMPTY else [part.strip() for part in text.split(";") if part.strip()]
    if len(parts) > _MOST_PARTS or any(len(part) > _LONGEST_PART for part in parts):
        raise BadCell(f"at most {_MOST_PARTS} values of at most {_LONGEST_PART} characters")
    return parts


def _line(longest: int) -> Callable[[str], str]:
    def read(text: str) -> str:
        if len(text) > longest or not text.isprintable():
            raise BadCell(f"at most {longest} characters on one line")
        return "" if text == _EMPTY else text

    return read


def _yes_no(text: str) -> bool:
    if text.lower() not in _YES_NO:
        raise BadCell("yes or no")
    return _YES_NO[text.lower()]


def _type(text: str) -> str:
    if text.lower() not in TYPES:
        raise BadCell(f"the type is one of {', '.join(TYPES)}")
    return text.lower()


def _postcode(text: str) -> str:
    try:
        return "" if text == _EMPTY else read_postcode(text)
    except InvalidValue:
        raise BadCell("a full UK postcode, like LS1 4AP") from None


def _phone(text: str) -> str:
    if text == _EMPTY:
        return ""
    try:
        return read_service_phone(_line(_LONGEST_PHONE)(text))
    except InvalidValue as problem:
        raise BadCell(f"a phone number, like 020 7946 0000; {problem}") from None


def _use_cases(text: str) -> list[str]:
    codes = [part.lower() for part in _parts(text)]
    unknown = [code for code in codes if UseCase.lookup(code) is None]
    if unknown:
        raise BadCell(f'there is no use case "{unknown[0][:20]}"')
    return sorted(set(codes))


def _callers(text: str) -> list[str]:
    try:
        return sorted({ODSCode.parse(part).value for part in _parts(text)})
    except InvalidIdentifier as problem:
        raise BadCell(str(problem)) from None


def _hours(text: str) -> StoredHours:
    if text == _EMPTY:
        return {}
    try:
        return read_hours(re.sub(r"\s*;\s*", "\n", text))
    except InvalidHours as problem:
        raise BadCell(str(problem)) from None


def _bank_holidays(text: str) -> list[list[str]] | None:
    if text == _EMPTY:
        return None
    try:
        return read_spans(text.strip().lower())
    except InvalidHours as problem:
        raise BadCell(str(problem)) from None


def _miles(text: str) -> float | None:
    if text == _EMPTY:
        return None
    if not re.fullmatch(r"[0-9]{1,4}(\.[0-9]{1,3})?", text) or float(text) > _MOST_MILES:
        raise BadCell(f"a number of miles up to {_MOST_MILES:,}, like 12.5")
    return float(text)


def read_cell(column: str, text: str) -> Any:
    """The value of a cell that says something. Raises BadCell.

    Lists repeat themselves: what was read once is the same value again, which nobody changes.
    """
    return _read_once(column, text) if len(text) <= _LONGEST_REPEATED else READERS[column](text)


@lru_cache(maxsize=10_000)
def _read_once(column: str, text: str) -> Any:
    return READERS[column](text)


# By column, which is also the name of the model's field.
READERS: dict[str, Callable[[str], Any]] = {
    "service_type": _type,
    "active": _yes_no,
    "address_lines": _parts,
    "postcode": _postcode,
    "phone": _phone,
    "accepted_use_cases": _use_cases,
    "takes_bookings": _yes_no,
    "takes_referrals": _yes_no,
    "requires_booking": _yes_no,
    "allowed_callers": _callers,
    "opening_hours": _hours,
    "bank_holiday_hours": _bank_holidays,
    "referral_roles": lambda text: [part[:60] for part in _parts(text)],
    "catchment_miles": _miles,
}


SOURCE = "csv"
NEEDED = ("service_id", "name", "provider_ods")
PROVIDER_NAME, ADDRESS, STATUS = "provider_name", "endpoint_address", "endpoint_status"
COLUMNS = (*NEEDED, PROVIDER_NAME, *READERS, ADDRESS, STATUS)
_STATUSES = ("active", "suspended", "off")

Cells = Mapping[str, str]


def read_local_list(content: bytes, *, addresses: AddressRules) -> Catalogue:
    """Raises BadCatalogue with line, column and reason for everything that is wrong."""
    faults = Faults()
    first_lines: dict[str, int] = {}
    services, endpoints = list[ServiceEntry](), list[EndpointEntry]()
    for line, row in _rows(read_text(content), faults):
        service = _service(line, row, faults)
        if service is None or _is_there_twice(service.service_id, line, first_lines, faults):
            continue
        services.append(service)
        endpoints.extend(_endpoint(line, row, service, addresses, faults))
        if len(services) > MOST_SERVICES:
            raise refuse(f"Line {line}", f"there are more than {MOST_SERVICES:,} services")
    faults.raise_if_any()
    if not services:
        raise refuse("Line 2", "there is no service in the list")
    return Catalogue(SOURCE, tuple(services), tuple(endpoints))


def _rows(text: str, faults: Faults) -> Iterator[tuple[int, Cells]]:
    """(number of the line on which the row begins, cells by column)"""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        columns = _header(next(reader, []))
        line = reader.line_num + 1
        for row in reader:
            if any(cell.strip() for cell in row):
                if len(row) == len(columns):
                    yield line, {name: cell.strip() for name, cell in zip(columns, row, strict=True)}
                else:
                    faults.add(f"Line {line}", f"there are {len(row)} cells for {len(columns)} columns")
            line = reader.line_num + 1
    except csv.Error as fault:
        raise refuse(f"Line {reader.line_num}", f"this is no CSV ({fault})") from None


def _header(row: list[str]) -> list[str]:
    columns = [name.strip().lower() for name in row]
    faults = Faults()
    for name in NEEDED:
        if name not in columns:
            faults.add("Line 1", f"the column {name} is missing")
    for place, name in enumerate(columns):
        if name not in COLUMNS:
            faults.add("Line 1", f'there is no column "{name[:40]}"; the columns are {", ".join(COLUMNS)}')
        elif name in columns[:place]:
            faults.add("Line 1", f"the column {name} is there twice")
    faults.raise_if_any()
    return columns


def _service(line: int, row: Cells, faults: Faults) -> ServiceEntry | None:
    service_id = _identifier(ServiceID, "service_id", line, row, faults)
    provider = _identifier(ODSCode, "provider_ods", line, row, faults)
    said = {}
    for column in READERS:
        try:
            if row.get(column):
                said[column] = read_cell(column, row[column])
        except BadCell as problem:
            faults.add(f"Line {line}, column {column}", str(problem))
    name = row["name"]
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        faults.add(f"Line {line}, column name", f"1 to {LONGEST_NAME} characters on one line")
    if said.get("requires_booking") and said.get("takes_bookings") is False:
        faults.add(f"Line {line}", "a service that requires a booking must take bookings")
    if not service_id or not provider:
        return None
    said["name"] = name
    return ServiceEntry(service_id, said, provider, row.get(PROVIDER_NAME, "")[:LONGEST_NAME])


def _identifier(
    kind: type[ServiceID] | type[ODSCode], column: str, line: int, row: Cells, faults: Faults
) -> str:
    try:
        return kind.parse(row[column]).value
    except InvalidIdentifier as problem:
        faults.add(f"Line {line}, column {column}", f"{str(problem)[:1].lower()}{str(problem)[1:]}")
        return ""


def _is_there_twice(service_id: str, line: int, first_lines: dict[str, int], faults: Faults) -> bool:
    first = first_lines.setdefault(service_id, line)
    if first != line:
        faults.add(f"Line {line}, column service_id", f"this service is on line {first} already")
    return first != line


def _endpoint(
    line: int, row: Cells, service: ServiceEntry, addresses: AddressRules, faults: Faults
) -> Iterator[EndpointEntry]:
    status = row.get(STATUS, "").lower()
    if status and status not in _STATUSES:
        faults.add(f"Line {line}, column {STATUS}", f"the status is one of {', '.join(_STATUSES)}")
    if row.get(ADDRESS):
        address = addresses.note(row[ADDRESS], f"Line {line}, column {ADDRESS}", faults)
        said = {"address": address, "private": False, **({"status": status} if status else {})}
        yield EndpointEntry(service.service_id, said, managed_by=service.provider)
    elif status:
        faults.add(f"Line {line}, column {STATUS}", f"there is a status but no {ADDRESS}")
