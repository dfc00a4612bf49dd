"""A catalogue into the directory: fetched, previewed, then applied in one transaction, or not at all."""

import gc
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import IntegrityError, connection, transaction

from bars_portal.accounts.models import Organisation
from bars_portal.audit.actor import Actor
from bars_portal.audit.services import record
from bars_portal.exchange.gateway.client import get_client, own_organisation
from bars_portal.exchange.transport.client import EndpointCatalogue
from directory.catalogue.comparing import Change, Difference, Known, compare
from directory.catalogue.entries import AddressRules, Catalogue, Reach
from directory.catalogue.local_list import read_local_list
from directory.catalogue.resources import Json, pack_answers, read_answers
from directory.catalogue.routes import read_routes
from directory.models import CatalogueImport, ImportState, Source
from directory.selectors.catalogue import known_to_the_directory
from directory.selectors.services import provider_organisations
from directory.services.catalogue_rows import write_rows

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
    write_rows(difference.changes, known, owners=owners, catalogue_id=catalogue.pk)
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
