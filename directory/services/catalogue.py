"""A catalogue into the directory: fetched, previewed, then applied in one transaction, or not at all."""

import gc
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from django.conf import settings
from django.db import IntegrityError, connection, transaction

from bars_portal.accounts.models import Organisation
from bars_portal.audit.actor import Actor
from bars_portal.audit.services import record
from bars_portal.exchange.gateway.client import get_client, own_organisation
from bars_portal.exchange.transport.client import EndpointCatalogue
from directory.catalogue.comparing import (
    ENDPOINT,
    NEW_ENDPOINT,
    NEW_SERVICE,
    SERVICE,
    Change,
    Difference,
    Known,
    compare,
)
from directory.catalogue.entries import AddressRules, Catalogue, Reach
from directory.catalogue.local_list import read_local_list
from directory.catalogue.resources import Json, pack_answers, read_answers
from directory.catalogue.routes import read_routes
from directory.models import CatalogueImport, ImportState, Source
from directory.selectors.services import known_to_the_directory, provider_organisations

READERS: dict[str, Callable[..., Catalogue]] = {
    Source.ROUTES: read_routes,
    Source.CSV: read_local_list,
    Source.API: read_answers,
}
# One catalogue at a time: an arbitrary number that everybody who applies one agrees on.
_ONE_AT_A_TIME = 7_203_114
_FORGOTTEN_AFTER = timedelta(days=1)


@dataclass(frozen=True)
class Preview:
    """What was kept, what it would change, and what it says."""

    catalogue: CatalogueImport
    difference: Difference
    read: Catalogue


class CatalogueMoved(Exception):
    """The directory changed since the differences were shown: they must be looked at again."""


def fetch_catalogue(
    catalogue: EndpointCatalogue,
    *,
    organisations: Sequence[str],
    progress: Callable[[str, int], None] | None = None,
) -> bytes:
    """What it answers, as one file for `preview_catalogue`. Raises CatalogueUnavailable: nothing is used.

    `organisations` are ODS codes; `progress` gets each of them with its number of services.
    """
    services, endpoints = list[Json](), dict[str, Json]()
    for ods_code in organisations:
        found = catalogue.services_of(ods_code)
        for service in found:
            for endpoint in catalogue.endpoints_of(str(service.get("id"))):
                endpoints[str(endpoint.get("id"))] = endpoint
        services.extend(found)
        if progress is not None:
            progress(ods_code, len(found))
    return pack_answers(organisations=organisations, services=services, endpoints=list(endpoints.values()))


def fetch_known_organisations(
    ods_codes: Sequence[str] = (), *, progress: Callable[[str, int], None] | None = None
) -> tuple[str, bytes]:
    """(address, answers) of the environment's catalogue; without codes: all that provide a service here."""
    codes = ods_codes or [each.ods_code for each in provider_organisations()]
    reader = EndpointCatalogue(get_client(), organisation=own_organisation())
    return settings.BARS["BASE_URL"], fetch_catalogue(reader, organisations=codes, progress=progress)


@contextmanager
def no_collector() -> Iterator[None]:
    """Not while a catalogue is read and compared: it makes no cycles, and takes half the time without.

    It is off for the whole process; that another thread switches it on early costs time, and nothing else.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


@no_collector()
def preview_catalogue(
    *,
    source: str,
    name: str,
    content: bytes,
    provider: Organisation | None,
    reach: Reach,
    actor: Actor,
    now: datetime,
    organisation: Organisation | None = None,
) -> Preview:
    """Read and compare; keeps the file for `apply_catalogue`, changes nothing else. Raises BadCatalogue.

    `provider`: whose new services are that name nobody. `organisation`: whose import it is; None: the
    installation's.
    """
    read = _read(source, content)
    difference = _compare(read, provider, reach)
    catalogue = CatalogueImport(
        source=source,
        name=name[:200],
        content=content,
        provider=provider,
        organisation=organisation,
        read_at=now,
        actor_user_id=actor.user_id,
        actor_label=actor.label,
        **difference.counts,
    )
    with transaction.atomic():
        CatalogueImport.objects.filter(
            state=ImportState.PREVIEWED, read_at__lt=now - _FORGOTTEN_AFTER
        ).delete()
        catalogue.save(force_insert=True)
        _record(catalogue, "directory.preview_catalogue", actor, now)
    return Preview(catalogue, difference, read)


@no_collector()
def differences_of(source: str, content: bytes, *, provider: Organisation | None, reach: Reach) -> Difference:
    """What it would change now; reads only. Raises BadCatalogue."""
    return _compare(_read(source, content), provider, reach)


def _read(source: str, content: bytes) -> Catalogue:
    """Raises BadCatalogue, and KeyError for another source."""
    bars = settings.BARS
    # The proxy that we use is no receiver; only beside the simulator may a catalogue name what it plays.
    rules = AddressRules(proxies=(bars["BASE_URL"],), played=bars["ENVIRONMENT"] == "simulator")
    return READERS[source](content, addresses=rules)


def _compare(read: Catalogue, provider: Organisation | None, reach: Reach) -> Difference:
    known = known_to_the_directory(read.source)
    return compare(read, known, reach=reach, provider=provider.ods_code if provider else "")


@no_collector()
def apply_catalogue(
    *,
    catalogue: CatalogueImport,
    fingerprint: str,
    reach: Reach,
    actor: Actor,
    now: datetime,
    read: Catalogue | None = None,
) -> bool:
    """Write exactly the differences with this fingerprint. False when it is applied already.

    `reach` is that of the person who applies it, whoever looked first. `read`: what the file says, when it
    was read just now. Raises BadCatalogue, and CatalogueMoved when the differences are others now.
    """
    if catalogue.state != ImportState.PREVIEWED:
        return False
    read = read or _read(catalogue.source, bytes(catalogue.content))
    try:
        with transaction.atomic():
            return _apply(catalogue, read, fingerprint, reach, actor, now)
    except IntegrityError as problem:
        # Somebody added the same service by hand between our look and our write.
        raise CatalogueMoved from problem


def _apply(
    catalogue: CatalogueImport, read: Catalogue, fingerprint: str, reach: Reach, actor: Actor, now: datetime
) -> bool:
    with connection.cursor() as cursor:
        # A hundred thousand services take longer than a page may.
        cursor.execute("SET LOCAL statement_timeout = 0")
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_ONE_AT_A_TIME])
    known = known_to_the_directory(read.source)
    owner = catalogue.provider.ods_code if catalogue.provider else ""
    difference = compare(read, known, reach=reach, provider=owner)
    if not _claim(catalogue, difference, actor, now):
        return False
    if difference.fingerprint != fingerprint or _changed_meanwhile(read.source, difference, known):
        raise CatalogueMoved
    owners = _owners(read, difference.changes)
    _write_rows(difference.changes, known, owners=owners, catalogue_id=catalogue.pk)
    _record(catalogue, "directory.apply_catalogue", actor, now)
    return True


def _claim(catalogue: CatalogueImport, difference: Difference, actor: Actor, now: datetime) -> bool:
    """The second press finds it applied."""
    waiting = CatalogueImport.objects.filter(pk=catalogue.pk, state=ImportState.PREVIEWED)
    applied = {
        "state": ImportState.APPLIED,
        "applied_at": now,
        "content": b"",
        "actor_user_id": actor.user_id,
        "actor_label": actor.label,
        **difference.counts,
    }
    if waiting.update(**applied) == 0:
        return False
    catalogue.refresh_from_db()
    return True


def _changed_meanwhile(source: str, difference: Difference, known: Known) -> bool:
    """Locks the rows that will be written, so that nobody's change is overwritten unseen."""
    ids = {change.service_id for change in difference.changes} & known.services.keys()
    locked = known_to_the_directory(source, only=ids, lock=True)
    return any(locked.services.get(each) != known.services[each] for each in ids) or any(
        known.endpoints.get(place) != there for place, there in locked.endpoints.items()
    )


def _owners(read: Catalogue, changes: Iterable[Change]) -> dict[str, int]:
    """Organisations by ODS code; those that are new are made."""
    names = {entry.provider: entry.provider_name for entry in read.services if entry.provider_name}
    codes = set[str]()
    for change in changes:
        rows = [way for _, way in change.endpoints] + ([change.service] if change.service else [])
        codes |= {
            str(value)
            for row in rows
            for name, value in row.after.items()
            if name in ("provider", "managing_organisation")
        }
    there = set(Organisation.objects.filter(ods_code__in=codes).values_list("ods_code", flat=True))
    Organisation.objects.bulk_create(
        [Organisation(ods_code=code, name=names.get(code) or code) for code in sorted(codes - there)],
        ignore_conflicts=True,
    )
    return dict(Organisation.objects.values_list("ods_code", "pk"))


def _record(catalogue: CatalogueImport, action: str, actor: Actor, now: datetime) -> None:
    record(
        actor=actor,
        action=action,
        subject=catalogue,
        detail={
            "source": catalogue.source,
            "added": catalogue.added,
            "changed": catalogue.changed,
            "removed": catalogue.removed,
        },
        now=now,
    )


# -- written: COPY into temporary tables, then one statement a table

Row = Sequence[Any]
_FIXED = ("id", "service_id", "hosted")


def _write_rows(
    changes: Sequence[Change], known: Known, *, owners: Mapping[str, int], catalogue_id: UUID
) -> None:
    """All rows of all changes; in the caller's transaction. `owners`: primary keys by ODS code.

    Raises IntegrityError when somebody else added one of the services meanwhile.
    """
    keys = {change.service_id: _key_of(change, known) for change in changes}
    _upsert("directory_healthcareservice", _SERVICE_COLUMNS, _service_rows(changes, known, owners, keys))
    _upsert("directory_endpoint", _ENDPOINT_COLUMNS, _endpoint_rows(changes, known, owners, keys))
    _copy("directory_cataloguechange", _CHANGE_COLUMNS, _change_rows(changes, catalogue_id, keys))


_SERVICE_COLUMNS = {
    "id": "uuid", "service_id": "varchar", "hosted": "boolean", "provider_id": "bigint", **SERVICE
}  # fmt: skip
_ENDPOINT_COLUMNS = {"id": "uuid", "service_id": "uuid", "managing_organisation_id": "bigint", **ENDPOINT}
_CHANGE_COLUMNS = {"catalogue_id": "uuid", "service_id": "uuid", "kind": "varchar", "fields": "jsonb"}


def _key_of(change: Change, known: Known) -> UUID:
    there = known.services.get(change.service_id)
    return there.key if there else uuid4()


def _service_rows(
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


def _endpoint_rows(
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


def _change_rows(changes: Iterable[Change], catalogue_id: UUID, keys: Mapping[str, UUID]) -> Iterator[Row]:
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
    news = ", ".join(f"{name} = excluded.{name}" for name in columns if name not in _FIXED)
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
