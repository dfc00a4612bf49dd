"""Our slots for others: GET /Slot and what comes with it (standard section 7), and a diary as a calendar.

Plain rows in, plain dicts or bytes out.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache, lru_cache
from typing import Any, NamedTuple
from uuid import UUID

from icalendar import Calendar, Event

from bars_portal.correspondence.entries import Entry, derived_url, full_url
from bars_portal.exchange.fhir import json, profiles
from bars_portal.exchange.fhir.bundle import Resource, found_entry
from bars_portal.exchange.fhir.queries.services import SlotInclude
from bars_portal.exchange.fhir.timestamps import format_london
from bars_portal.exchange.transport.headers import SNOMED
from bookings.models.diary import DiaryRow, paired_id
from directory.mapping import healthcare_service_to_fhir, location_to_fhir, organisation_to_fhir
from directory.ports import ServiceFacts


class SlotTexts(NamedTuple):
    """Everything that differs between slots, as it is written. Their order is that of the template's places.

    `paired_id` and `schedule_paired_id` are the UUIDs of the fullUrls. No `channel`, no extension.
    """

    paired_id: str
    id: str
    updated_at: str
    schedule_paired_id: str
    status: str
    start: str
    end: str
    channel: str


def slot_entry(texts: SlotTexts) -> dict[str, Any]:
    """The slot as an entry of a searchset (standard section 7: no identifier, a channel only when known)."""
    slot: Resource = {
        "resourceType": "Slot",
        "id": texts.id,
        "meta": {"lastUpdated": texts.updated_at, "profile": [profiles.uk_core("Slot")]},
    }
    if texts.channel:
        slot["extension"] = [{"url": profiles.EXTENSION_DELIVERY_CHANNEL, "valueCode": texts.channel}]
    slot |= {
        "schedule": {"reference": f"urn:uuid:{texts.schedule_paired_id}"},
        "status": texts.status,
        "start": texts.start,
        "end": texts.end,
    }
    return found_entry(f"urn:uuid:{texts.paired_id}", slot, "match")


@cache
def slot_template(*, with_channel: bool) -> str:
    """The entry as JSON for SQL's `format()`: `%1$s` is the first of `SlotTexts`, and so on."""
    places = [f"%{number}$s" for number, _ in enumerate(SlotTexts._fields, start=1)]
    texts = SlotTexts(*places)
    return json.dumps(slot_entry(texts if with_channel else texts._replace(channel=""))).decode()


_ROLE_SYSTEM = "http://terminology.hl7.org/CodeSystem/practitioner-role"
_ROLE_CODES = {
    "doctor": "Doctor",
    "nurse": "Nurse",
    "pharmacist": "Pharmacist",
    "researcher": "Researcher",
    "teacher": "Teacher/educator",
    "ict": "ICT professional",
}


@dataclass
class _Around:
    """What goes with the slots, each thing once."""

    facts: ServiceFacts
    asked: frozenset[str]
    now: datetime
    entries: dict[str, Resource] = field(default_factory=dict)

    @property
    def service_url(self) -> str:
        return derived_url(self.facts.id, "service")

    @property
    def provider_url(self) -> str | None:
        return derived_url(self.facts.id, "provider") if SlotInclude.PROVIDER in self.asked else None

    def place_url(self, diary: DiaryRow) -> str:
        """Told whether it was asked for or not: the provider's own address may be elsewhere."""
        return derived_url(self.facts.id, f"place {diary.location_name}")


def entries_with_slots(
    diaries: Iterable[DiaryRow], *, facts: ServiceFacts, includes: frozenset[str], now: datetime
) -> list[Entry]:
    """What was asked to come with the slots of these diaries: only what one of the slots refers to."""
    around = _Around(facts, includes, now)
    used = list(diaries)
    for diary in used:
        around.entries[full_url(paired_id(diary.id))] = _schedule(around, diary)
    if used:
        _add_service(around, used)
    return list(around.entries.items())


def _schedule(around: _Around, diary: DiaryRow) -> Resource:
    place_url = around.place_url(diary)
    # As an actor too: a service may have several places, a diary has one.
    actors = [around.service_url, *_add_people(around, diary), place_url]
    around.entries[place_url] = location_to_fhir(
        around.facts,
        location_id=derived_url(around.facts.id, place_url).rpartition(":")[2],
        now=around.now,
        name=diary.location_name,
    )
    return {
        **_head("Schedule", diary.id, around.now),
        "active": diary.active,
        "actor": [{"reference": url} for url in actors],
        "comment": diary.name,
    }


def _add_people(around: _Around, diary: DiaryRow) -> list[str]:
    """The practitioner and the role, as far as the diary names them; their fullUrls."""
    urls = []
    practitioner, role = _practitioner(diary, around.now), _role(diary, around.now)
    role_asked = SlotInclude.PRACTITIONER_ROLE in around.asked
    if role is not None and role_asked:
        urls.append(derived_url(diary.id, "role"))
        around.entries[urls[-1]] = role
    if practitioner is not None:
        urls.append(derived_url(diary.id, "practitioner"))
        around.entries[urls[-1]] = practitioner
        if role is not None and role_asked:
            role["practitioner"] = {"reference": urls[-1]}
    return urls


def _practitioner(diary: DiaryRow, now: datetime) -> Resource | None:
    name = {
        "family": diary.practitioner_family,
        "given": [diary.practitioner_given] if diary.practitioner_given else [],
        "prefix": [diary.practitioner_prefix] if diary.practitioner_prefix else [],
    }
    known = {key: value for key, value in name.items() if value}
    if not known:
        return None
    resource = {**_head("Practitioner", _part_id(diary, "practitioner id"), now), "name": [known]}
    return {**resource, "gender": diary.practitioner_gender} if diary.practitioner_gender else resource


def _role(diary: DiaryRow, now: datetime) -> Resource | None:
    code, words = diary.practitioner_role_code, diary.practitioner_role
    system = SNOMED if code.isdecimal() else _ROLE_SYSTEM if code in _ROLE_CODES else ""
    concept: Resource = {}
    if system:
        display = words or _ROLE_CODES.get(code, code)
        concept["coding"] = [{"system": system, "code": code, "display": display}]
    if words:
        concept["text"] = words
    if not concept:
        return None
    return {**_head("PractitionerRole", _part_id(diary, "role id"), now), "code": [concept]}


def _add_service(around: _Around, diaries: list[DiaryRow]) -> None:
    facts, now = around.facts, around.now
    if around.provider_url is not None:
        around.entries[around.provider_url] = organisation_to_fhir(
            name=facts.provider_name, ods_code=facts.provider_ods, now=now
        )
    service = healthcare_service_to_fhir(facts, now=now, provided_by_url=around.provider_url)
    places = list(dict.fromkeys(around.place_url(each) for each in diaries))
    around.entries[around.service_url] = {**service, "location": [{"reference": url} for url in places]}


def _part_id(diary: DiaryRow, part: str) -> str:
    return derived_url(diary.id, part).rpartition(":")[2]


def _head(resource_type: str, ident: UUID | str, now: datetime) -> Resource:
    meta = {"lastUpdated": format_london(now), "profile": [profiles.uk_core(resource_type)]}
    return {"resourceType": resource_type, "id": str(ident), "meta": meta}


# More of them are written each time anew, so that what is kept stays small.
_MOST_DIARIES = 50
# In winter, so that every form of it is the same. No text can hold its bytes: they have quotes around them.
_NO_TIME = datetime(9999, 1, 1, tzinfo=UTC)


def texts_with_slots(
    diaries: Sequence[DiaryRow], *, facts: ServiceFacts, includes: frozenset[str], now: datetime
) -> bytes:
    """Bundle entries with commas between them, as `entries_with_slots` has them at the moment `now`."""
    write = _kept if len(diaries) <= _MOST_DIARIES else _kept.__wrapped__
    return _stamp(now).join(write(tuple(diaries), facts, includes))


@lru_cache(maxsize=128)
def _kept(diaries: tuple[DiaryRow, ...], facts: ServiceFacts, includes: frozenset[str]) -> tuple[bytes, ...]:
    """Cut where the time belongs. Never stale: it is made from its arguments alone."""
    entries = entries_with_slots(diaries, facts=facts, includes=includes, now=_NO_TIME)
    written = b",".join(json.dumps(found_entry(url, resource, "include")) for url, resource in entries)
    return tuple(written.split(_stamp(_NO_TIME)))


def _stamp(moment: datetime) -> bytes:
    return json.dumps({"lastUpdated": format_london(moment)})[1:-1]


# -- a diary as an iCalendar file (RFC 5545): times, whether booked, our reference; no patient


class CalendarEntry(NamedTuple):
    """One slot. `reference` is "" for one that nobody has booked; `changed` and the times are aware."""

    id: str
    start: datetime
    end: datetime
    status: str
    diary: str
    reference: str
    changed: datetime


def diary_calendar(service_name: str, entries: Iterable[CalendarEntry]) -> bytes:
    """Free times are shown as free, all others as busy."""
    calendar = Calendar()
    calendar.add("prodid", "-//bars-portal//diary//EN")
    calendar.add("version", "2.0")
    calendar.add("x-wr-calname", service_name)
    for each in entries:
        event = Event()
        event.add("uid", f"{each.id}@bars-portal")
        event.add("dtstamp", each.changed)
        event.add("dtstart", each.start)
        event.add("dtend", each.end)
        event.add("summary", f"{each.status} {each.reference}".strip())
        event.add("location", each.diary)
        event.add("transp", "OPAQUE" if each.reference else "TRANSPARENT")
        calendar.add_component(event)
    written: bytes = calendar.to_ical()
    return written
