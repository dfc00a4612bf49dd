"""UK Core shaped resources that TKW answers with, and its slots. Ids depend on the service alone.

GET /Slot takes the seeds' spelling or the standard's; slots are made from the clock, never stored.
"""

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from bars_portal.simulator.fhir import Resource, read_instant, stamp
from bars_portal.simulator.tkw.tables import ReceiverError, Rejected, displays, services

Entry = tuple[str, Resource]

_NAMESPACE = uuid.UUID("5f0f4a52-7a3c-5d0e-9a94-1f9a3a4d6c11")
_PROFILE = "https://fhir.hl7.org.uk/StructureDefinition/UKCore-"
USE_CASES = "https://fhir.nhs.uk/CodeSystem/usecases-categories-bars"
CATEGORY = "https://fhir.nhs.uk/CodeSystem/message-category-servicerequest"
SERVICE_ID_SYSTEM = "https://fhir.nhs.uk/Id/dos-service-id"


def stable_id(*parts: str) -> str:
    """The same UUID for the same words, so that repeated searches agree."""
    return str(uuid.uuid5(_NAMESPACE, "|".join(parts)))


def coding(system: str, code: str) -> Resource:
    """A Coding with its display. Raises KeyError for a code that codes.csv has not."""
    return {"system": system, "code": code, "display": displays()[system, code]}


def full_url(*parts: str) -> str:
    """An entry's address; never the resource's own id."""
    return f"urn:uuid:{stable_id('entry', *parts)}"


def resource(kind: str, identity: str, now: datetime, **elements: Any) -> Resource:
    """A resource with id and meta, its elements after that."""
    meta = {"lastUpdated": stamp(now), "profile": [_PROFILE + kind]}
    return {"resourceType": kind, "id": identity, "meta": meta, **elements}


def schedule(service_id: str, now: datetime, *, with_people: bool) -> Entry:
    """The service's diary."""
    actors = ["HealthcareService", *(("Practitioner", "PractitionerRole") if with_people else ())]
    references = [{"reference": full_url(kind, service_id)} for kind in actors]
    return _entry("Schedule", service_id, now, actor=references)


def healthcare_service(service_id: str, now: datetime, *, with_location: bool) -> Entry:
    """The service itself."""
    place = {"location": [{"reference": full_url("Location", service_id)}]} if with_location else {}
    identifier = [{"system": SERVICE_ID_SYSTEM, "value": service_id}]
    return _entry(
        "HealthcareService",
        service_id,
        now,
        identifier=identifier,
        **place,
        name=name_of(service_id),
    )


def name_of(service_id: str) -> str:
    """The service's published name."""
    known = services().get(service_id)
    return known.name if known else "TESTING ONLY BaRS Test Service"


def practitioner(service_id: str, now: datetime) -> Entry:
    """Who is seen."""
    return _entry(
        "Practitioner", service_id, now, name=[{"family": "Tester", "given": ["Toni"], "prefix": ["Dr"]}]
    )


def practitioner_role(service_id: str, now: datetime) -> Entry:
    """As what they are seen."""
    code = coding("http://terminology.hl7.org/CodeSystem/practitioner-role", "doctor")
    person = {"reference": full_url("Practitioner", service_id)}
    return _entry("PractitionerRole", service_id, now, practitioner=person, code=[{"coding": [code]}])


def location(service_id: str, now: datetime) -> Entry:
    """Where it is."""
    address = {"line": ["1 Test Street"], "city": "Leeds", "postalCode": "LS1 4AP"}
    return _entry("Location", service_id, now, name="TESTING ONLY BaRS Test Site", address=address)


def _entry(kind: str, service_id: str, now: datetime, **elements: Any) -> Entry:
    return full_url(kind, service_id), resource(kind, stable_id(kind, service_id), now, **elements)


def searchset(matches: list[Entry], included: list[Entry], *, link: str, now: datetime) -> Resource:
    """A searchset Bundle; `total` counts the matches."""
    entries = [*((entry, "match") for entry in matches), *((entry, "include") for entry in included)]
    bundle: Resource = {
        "resourceType": "Bundle",
        "id": str(uuid.uuid4()),
        "meta": {"lastUpdated": stamp(now)},
        "type": "searchset",
        "timestamp": stamp(now),
        "total": len(matches),
        "link": [{"relation": "self", "url": link}],
    }
    if entries:
        bundle["entry"] = [
            {"fullUrl": url, "resource": content, "search": {"mode": mode}}
            for (url, content), mode in entries
        ]
    return bundle


LONDON = ZoneInfo("Europe/London")
USUAL_RANGE = timedelta(days=7)
PREFIXES = frozenset({"", "eq", "ge", "gt", "le", "lt"})
STATUSES = frozenset({"free", "busy"})
SERVICE_PARAMETER = "Schedule.actor:HealthcareService"
# Every 30 minutes, London time, the last one ending when the service closes.
OPENS, CLOSES = time(9), time(17)
LENGTH = timedelta(minutes=30)
# A search over years is answered with its first days.
MOST_DAYS = 14
# About every fourth slot is taken, always the same ones.
BUSY_EVERY = 4


@dataclass(frozen=True)
class SlotSearch:
    """What is searched for; times are aware, in London time, both ends included."""

    service_id: str
    statuses: frozenset[str]
    start: datetime
    end: datetime


def read_slot_search(parameters: Sequence[tuple[str, str]], *, target: str, now: datetime) -> SlotSearch:
    """The search; `target` is searched where no service is named. Raises Rejected."""
    starts = [_bound(value) for name, value in parameters if name == "start"]
    ends = [_bound(value) for name, value in parameters if name == "end"]
    lower = [at for prefix, at in starts if prefix in {"ge", "gt", "eq", ""}]
    upper = [at for prefix, at in starts + ends if prefix in {"le", "lt"}]
    start = max(lower, default=now.astimezone(LONDON))
    named = [value for name, value in parameters if name == SERVICE_PARAMETER]
    return SlotSearch(
        service_id=named[-1].rpartition("|")[2] if named else target,
        statuses=_statuses(parameters),
        start=start,
        end=min(upper, default=_later(start)),
    )


def _statuses(parameters: Sequence[tuple[str, str]]) -> frozenset[str]:
    asked = {part for name, value in parameters if name == "status" for part in value.split(",")} or {"free"}
    if not asked <= STATUSES:
        raise Rejected(ReceiverError.BAD_VALUE)
    return frozenset(asked)


def _bound(value: str) -> tuple[str, datetime]:
    prefix, text = (value[:2], value[2:]) if value[:2].isalpha() else ("", value)
    if prefix not in PREFIXES:
        raise Rejected(ReceiverError.BAD_VALUE)
    try:
        # A plus sign that was not percent-encoded arrives as a blank.
        at = read_instant(text.replace(" ", "+"))
        if at.tzinfo is None:
            raise Rejected(ReceiverError.BAD_VALUE)
        return prefix, at.astimezone(LONDON)
    except (ValueError, OverflowError) as problem:
        raise Rejected(ReceiverError.BAD_VALUE) from problem


def _later(start: datetime) -> datetime:
    try:
        return start + USUAL_RANGE
    except OverflowError:
        return start


def find_slots(search: SlotSearch, *, gives: str, link: str, now: datetime) -> Resource:
    """The searchset for a service; `gives` is everything, nothing or mandatory (no people, no place)."""
    found = [] if gives == "nothing" else list(_slots(search, now))
    included = _included(search.service_id, now, full=gives == "everything") if found else []
    return searchset(found, included, link=link, now=now)


def _included(service_id: str, now: datetime, *, full: bool) -> list[Entry]:
    entries = [
        schedule(service_id, now, with_people=full),
        healthcare_service(service_id, now, with_location=full),
    ]
    if full:
        entries += [make(service_id, now) for make in (practitioner, practitioner_role, location)]
    return entries


def _slots(search: SlotSearch, now: datetime) -> Iterator[Entry]:
    earliest = search.start if search.end < now else max(search.start, now)
    for day in _days(search, now):
        for start in _starts(day):
            status = _status(search.service_id, start)
            if earliest <= start <= search.end and status in search.statuses:
                yield _slot(search.service_id, start, status, now)


def _days(search: SlotSearch, now: datetime) -> Iterator[date]:
    """The first days asked from now on; the last two of a range wholly past (the seeds' own examples)."""
    last = search.end.date()
    if search.end < now:
        first = max(search.start.date(), date.fromordinal(max(1, last.toordinal() - 1)))
    else:
        first = max(search.start.date(), now.astimezone(LONDON).date())
    for offset in range(min(MOST_DAYS, (last - first).days + 1)):
        yield first + timedelta(days=offset)


def _starts(day: date) -> Iterator[datetime]:
    start, closes = datetime.combine(day, OPENS, LONDON), datetime.combine(day, CLOSES, LONDON)
    while start + LENGTH <= closes:
        yield start
        start += LENGTH


def _status(service_id: str, start: datetime) -> str:
    return "busy" if int(_slot_id(service_id, start)[:8], 16) % BUSY_EVERY == 0 else "free"


def _slot_id(service_id: str, start: datetime) -> str:
    return stable_id("Slot", service_id, start.isoformat())


def _slot(service_id: str, start: datetime, status: str, now: datetime) -> Entry:
    content = resource(
        "Slot",
        _slot_id(service_id, start),
        now,
        schedule={"reference": full_url("Schedule", service_id)},
        status=status,
        start=stamp(start, LONDON),
        end=stamp(start + LENGTH, LONDON),
    )
    return full_url("Slot", service_id, start.isoformat()), content
