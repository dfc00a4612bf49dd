"""Our diaries as the answer to GET /Slot (standard section 7): plain rows in, plain dicts out."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from bars_portal.exchange.fhir import profiles
from bars_portal.exchange.fhir.bundle import Resource
from bars_portal.exchange.fhir.queries import SlotInclude
from bars_portal.exchange.fhir.timestamps import format_london
from bars_portal.exchange.transport.nhsd import SNOMED
from bookings.mapping.entries import Entry, derived_url
from bookings.models import Schedule
from bookings.rows import SlotRow
from directory.facts import ServiceFacts
from directory.mapping import healthcare_service_to_fhir, location_to_fhir, organisation_to_fhir

_ROLE_SYSTEM = "http://terminology.hl7.org/CodeSystem/practitioner-role"
_ROLE_CODES = frozenset({"doctor", "nurse", "pharmacist", "researcher", "teacher", "ict"})


@dataclass
class _Answer:
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

    def place_url(self, schedule: Schedule) -> str | None:
        asked = SlotInclude.LOCATION in self.asked
        return derived_url(self.facts.id, f"place {schedule.location_name}") if asked else None


def slot_entries(
    rows: Iterable[SlotRow],
    *,
    schedules: Mapping[UUID, Schedule],
    facts: ServiceFacts,
    includes: frozenset[str],
    now: datetime,
) -> tuple[list[Entry], list[Entry]]:
    """The slots, and what was asked to come with them: only what one of the slots refers to."""
    used: dict[UUID, str] = {}
    channels = {key: _channel(schedule) for key, schedule in schedules.items()}
    matches = []
    for row in rows:
        url = used.setdefault(row.schedule_id, derived_url(row.schedule_id, "schedule"))
        matches.append(
            (derived_url(row.schedule_id, str(row.id)), _slot(row, url, channels[row.schedule_id]))
        )
    answer = _Answer(facts, includes, now)
    for key, url in used.items():
        answer.entries[url] = _schedule(answer, schedules[key])
    if used:
        _add_service(answer, [schedules[key] for key in used])
    return matches, list(answer.entries.items())


def _slot(row: SlotRow, schedule_url: str, channel: list[Resource]) -> Resource:
    slot: Resource = {
        "resourceType": "Slot",
        "id": str(row.id),
        "meta": {"lastUpdated": format_london(row.updated_at), "profile": [profiles.uk_core("Slot")]},
    }
    if channel:
        slot["extension"] = channel
    slot |= {
        "schedule": {"reference": schedule_url},
        "status": row.status,
        "start": format_london(row.start),
        "end": format_london(row.end),
    }
    return slot


def _channel(schedule: Schedule) -> list[Resource]:
    if not schedule.delivery_channel:
        return []
    return [{"url": profiles.EXTENSION_DELIVERY_CHANNEL, "valueCode": schedule.delivery_channel}]


def _schedule(answer: _Answer, schedule: Schedule) -> Resource:
    actors = [answer.service_url, *_add_people(answer, schedule)]
    place_url = answer.place_url(schedule)
    if place_url is not None:
        # As an actor too: a service may have several places, a diary has one.
        actors.append(place_url)
        place = location_to_fhir(
            answer.facts,
            location_id=derived_url(answer.facts.id, place_url).rpartition(":")[2],
            now=answer.now,
            name=schedule.location_name,
        )
        answer.entries[place_url] = place
    return {
        **_head("Schedule", schedule.id, answer.now),
        "active": schedule.active,
        "actor": [{"reference": url} for url in actors],
        "comment": schedule.name,
    }


def _add_people(answer: _Answer, schedule: Schedule) -> list[str]:
    """The practitioner and the role, as far as the diary names them; their fullUrls."""
    urls = []
    practitioner, role = _practitioner(schedule, answer.now), _role(schedule, answer.now)
    role_asked = SlotInclude.PRACTITIONER_ROLE in answer.asked
    if role is not None and role_asked:
        urls.append(derived_url(schedule.id, "role"))
        answer.entries[urls[-1]] = role
    if practitioner is not None:
        urls.append(derived_url(schedule.id, "practitioner"))
        answer.entries[urls[-1]] = practitioner
        if role is not None and role_asked:
            role["practitioner"] = {"reference": urls[-1]}
    return urls


def _practitioner(schedule: Schedule, now: datetime) -> Resource | None:
    name = {
        "family": schedule.practitioner_family,
        "given": [schedule.practitioner_given] if schedule.practitioner_given else [],
        "prefix": [schedule.practitioner_prefix] if schedule.practitioner_prefix else [],
    }
    known = {key: value for key, value in name.items() if value}
    if not known:
        return None
    resource = {**_head("Practitioner", _part_id(schedule, "practitioner id"), now), "name": [known]}
    return {**resource, "gender": schedule.practitioner_gender} if schedule.practitioner_gender else resource


def _role(schedule: Schedule, now: datetime) -> Resource | None:
    code, words = schedule.practitioner_role_code, schedule.practitioner_role
    system = SNOMED if code.isdecimal() else _ROLE_SYSTEM if code in _ROLE_CODES else ""
    concept: Resource = {}
    if system:
        concept["coding"] = [{"system": system, "code": code} | ({"display": words} if words else {})]
    if words:
        concept["text"] = words
    if not concept:
        return None
    return {**_head("PractitionerRole", _part_id(schedule, "role id"), now), "code": [concept]}


def _add_service(answer: _Answer, schedules: list[Schedule]) -> None:
    facts, now = answer.facts, answer.now
    if answer.provider_url is not None:
        answer.entries[answer.provider_url] = organisation_to_fhir(
            name=facts.provider_name, ods_code=facts.provider_ods, now=now
        )
    service = healthcare_service_to_fhir(facts, now=now, provided_by_url=answer.provider_url)
    places = list(dict.fromkeys(answer.place_url(each) for each in schedules))
    located = [{"reference": url} for url in places if url is not None]
    answer.entries[answer.service_url] = {**service, "location": located} if located else service


def _part_id(schedule: Schedule, part: str) -> str:
    return derived_url(schedule.id, part).rpartition(":")[2]


def _head(resource_type: str, ident: UUID | str, now: datetime) -> Resource:
    meta = {"lastUpdated": format_london(now), "profile": [profiles.uk_core(resource_type)]}
    return {"resourceType": resource_type, "id": str(ident), "meta": meta}
