"""Writes the differences of a catalogue: COPY into temporary tables, then one statement a table."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any
from uuid import UUID, uuid4

from django.db import connection

from directory.catalogue.comparing import ENDPOINT, NEW_ENDPOINT, NEW_SERVICE, SERVICE, Change, Known

Row = Sequence[Any]
_FIXED = ("id", "service_id", "hosted")
_OWNER = {"managing_organisation_id": "bigint"}


def write_rows(
    changes: Sequence[Change], known: Known, *, owners: Mapping[str, int], catalogue_id: UUID
) -> None:
    """All rows of all changes; in the caller's transaction. `owners`: primary keys by ODS code.

    Raises IntegrityError when somebody else added one of the services meanwhile.
    """
    keys = {change.service_id: _key(change, known) for change in changes}
    _upsert("directory_healthcareservice", _SERVICE_COLUMNS, _services(changes, known, owners, keys))
    _upsert("directory_endpoint", _ENDPOINT_COLUMNS, _endpoints(changes, known, owners, keys))
    _copy("directory_cataloguechange", _CHANGE_COLUMNS, _notes(changes, catalogue_id, keys))


_SERVICE_COLUMNS = {
    "id": "uuid", "service_id": "varchar", "hosted": "boolean", "provider_id": "bigint", **SERVICE
}  # fmt: skip
_ENDPOINT_COLUMNS = {"id": "uuid", "service_id": "uuid", **_OWNER, **ENDPOINT}
_CHANGE_COLUMNS = {"catalogue_id": "uuid", "service_id": "uuid", "kind": "varchar", "fields": "jsonb"}


def _key(change: Change, known: Known) -> UUID:
    there = known.services.get(change.service_id)
    return there.key if there else uuid4()


def _services(
    changes: Iterable[Change], known: Known, owners: Mapping[str, int], keys: Mapping[str, UUID]
) -> Iterator[Row]:
    for change in changes:
        if change.service is None:
            continue
        there = known.services.get(change.service_id)
        values = {**(there.values if there else NEW_SERVICE), **change.service.after}
        yield (
            keys[change.service_id],
            change.service_id,
            bool(there and there.hosted),
            owners[values["provider"]],
            *_cells(values, SERVICE),
        )


def _endpoints(
    changes: Iterable[Change], known: Known, owners: Mapping[str, int], keys: Mapping[str, UUID]
) -> Iterator[Row]:
    for change in changes:
        for catalogue_id, way in change.endpoints:
            there = known.endpoints.get((change.service_id, catalogue_id)) if way.key else None
            values = {
                **(there.values if there else {**NEW_ENDPOINT, "catalogue_id": catalogue_id}),
                **way.after,
            }
            owner = owners[values["managing_organisation"]]
            yield (way.key or uuid4(), keys[change.service_id], owner, *_cells(values, ENDPOINT))


def _notes(changes: Iterable[Change], catalogue_id: UUID, keys: Mapping[str, UUID]) -> Iterator[Row]:
    """A new service is its own record; of the others, what was there before is kept."""
    for change in changes:
        fields = {} if change.kind == "added" else change.fields()
        yield catalogue_id, keys[change.service_id], change.kind, json.dumps(fields, default=str)


def _cells(values: Mapping[str, Any], columns: Mapping[str, str]) -> Iterator[Any]:
    for name, kind in columns.items():
        value = values[name]
        yield json.dumps(value) if kind == "jsonb" and value is not None else value


def _upsert(table: str, columns: Mapping[str, str], rows: Iterable[Row]) -> None:
    """Names are constants of this program; values travel by COPY."""
    staged = f"staged_{table}"
    described = ", ".join(f"{name} {kind}" for name, kind in columns.items())
    names = ", ".join(columns)
    news = ", ".join(
        f"{name} = excluded.{name}" for name in columns if name not in ("id", "service_id", "hosted")
    )
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE IF EXISTS pg_temp.{staged}")
        cursor.execute(f"CREATE TEMPORARY TABLE {staged} ({described}) ON COMMIT DROP")
        _copy(staged, columns, rows)
        cursor.execute(
            f"INSERT INTO {table} ({names}) SELECT {names} FROM {staged} "  # noqa: S608 - names of models
            f"ON CONFLICT (id) DO UPDATE SET {news}"
        )


def _copy(table: str, columns: Mapping[str, str], rows: Iterable[Row]) -> None:
    statement = f"COPY {table} ({', '.join(columns)}) FROM STDIN"
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        for row in rows:
            copy.write_row(row)
