"""A list of local services as CSV, one service a line; docs/how-to/import-a-catalogue.md has the columns.

An empty cell says nothing, so what is known stays; a single hyphen empties the value.
"""

import csv
import io
from collections.abc import Iterator, Mapping

from bars_portal.exchange.fhir.identifiers import InvalidIdentifier, ODSCode, ServiceID
from directory.catalogue import cells
from directory.catalogue.addresses import AddressRules
from directory.catalogue.cells import BadCell
from directory.catalogue.entries import Catalogue, EndpointEntry, ServiceEntry
from directory.catalogue.faults import Faults, refuse
from directory.catalogue.text import MOST_SERVICES, read_text

SOURCE = "csv"
NEEDED = ("service_id", "name", "provider_ods")
PROVIDER_NAME, ADDRESS, STATUS = "provider_name", "endpoint_address", "endpoint_status"
COLUMNS = (*NEEDED, PROVIDER_NAME, *cells.READERS, ADDRESS, STATUS)
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
    for column in cells.READERS:
        try:
            if row.get(column):
                said[column] = cells.read_cell(column, row[column])
        except BadCell as problem:
            faults.add(f"Line {line}, column {column}", str(problem))
    name = row["name"]
    if not name or len(name) > cells.LONGEST_NAME or not name.isprintable():
        faults.add(f"Line {line}, column name", f"1 to {cells.LONGEST_NAME} characters on one line")
    if said.get("requires_booking") and said.get("takes_bookings") is False:
        faults.add(f"Line {line}", "a service that requires a booking must take bookings")
    if not service_id or not provider:
        return None
    said["name"] = name
    return ServiceEntry(service_id, said, provider, row.get(PROVIDER_NAME, "")[: cells.LONGEST_NAME])


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
