"""What a 200 to a message of ours says, beside what was asked (standard sections 5 and 12). Pure.

An answer that lacks what the standard promises, or that is about somebody or something else, is none: nobody
may build on it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from itertools import product

from bars_portal.exchange.fhir.bundle import MessageBundle, Resource
from bars_portal.exchange.fhir.codes import (
    AppointmentStatus,
    EncounterStatus,
    MessageCategory,
    MessageEvent,
    MessageReason,
    ServiceRequestStatus,
    SlotStatus,
)
from bars_portal.exchange.fhir.identifiers import SERVICE_ID_SYSTEM, is_fhir_id, nhs_identifiers, same_system
from bars_portal.exchange.fhir.json import as_dict, as_list, as_text, codings, dicts
from bars_portal.exchange.fhir.timestamps import InvalidInstant, parse_instant
from bars_portal.values import name_key, names_agree, same_name

_NO_DIGITS = re.compile(r"[^0-9]+")
# What is as good as the status that was asked for.
_ALIKE: tuple[frozenset[str], ...] = (
    frozenset({ServiceRequestStatus.ACTIVE, ServiceRequestStatus.ON_HOLD, ServiceRequestStatus.COMPLETED}),
    frozenset({ServiceRequestStatus.REVOKED, ServiceRequestStatus.ENTERED_IN_ERROR}),
    frozenset({AppointmentStatus.CANCELLED, AppointmentStatus.ENTERED_IN_ERROR}),
)
_NOT_PATIENTS = (
    "Practitioner",
    "PractitionerRole",
    "Location",
    "HealthcareService",
    "RelatedPerson",
    "Device",
)


def shortfall(asked: MessageBundle, reply: MessageBundle) -> str:
    """Why the answer is no answer to what was asked, as a machine word; "" when it is one.

    A new booking that holds another time, service or person is an answer, and for people to look at.
    """
    return next(_faults(asked, reply), "")


def _faults(asked: MessageBundle, reply: MessageBundle) -> Iterator[str]:
    wanted, focus = asked.focus or {}, reply.focus or {}
    if reply.id.lower() != asked.id.lower():
        yield "other-bundle"
    if not focus or focus.get("resourceType") != wanted.get("resourceType"):
        yield "no-focus"
    if not _is_as_good(as_text(focus.get("status")), as_text(wanted.get("status"))):
        yield "other-status"
    yield from _id_faults(asked, wanted, focus)
    if asked.event == MessageEvent.BOOKING_REQUEST:
        is_new = wanted.get("status") == AppointmentStatus.BOOKED
        yield from (_booked if is_new else _cancelled)(asked, reply, wanted, focus)
    if asked.event == MessageEvent.SERVICEREQUEST_REQUEST:
        yield from _requested(asked, reply, wanted, focus)


def _is_as_good(said: str, wanted: str) -> bool:
    return said == wanted or any({said, wanted} <= each for each in _ALIKE)


def _id_faults(asked: MessageBundle, wanted: Resource, focus: Resource) -> Iterator[str]:
    known, ident = as_text(wanted.get("id")), as_text(focus.get("id"))
    if not is_fhir_id(ident):
        # The published acknowledgement of a validation has none; its own Encounter shows that it was taken.
        is_published = MessageCategory.VALIDATION in _categories(wanted) and asked.reason == MessageReason.NEW
        if not is_published:
            yield "no-id"
    elif known and known.lower() != ident.lower():
        yield "other-id"


def _booked(asked: MessageBundle, reply: MessageBundle, wanted: Resource, focus: Resource) -> Iterator[str]:
    if as_text(as_dict(slot_of(reply, focus)).get("status")) != SlotStatus.BUSY:
        yield "slot-not-busy"
    if None in times_of(focus):
        yield "no-time"
    if not patients_of(reply, focus, asked):
        yield "no-patient"


def _cancelled(
    asked: MessageBundle, reply: MessageBundle, wanted: Resource, focus: Resource
) -> Iterator[str]:
    """A stripped message: what the answer leaves out is no fault."""
    if any(
        one and other and one != other for one, other in zip(times_of(wanted), times_of(focus), strict=True)
    ):
        yield "other-time"
    if names_another(asked, wanted, reply, focus):
        yield "other-patient"


def _requested(
    asked: MessageBundle, reply: MessageBundle, wanted: Resource, focus: Resource
) -> Iterator[str]:
    if names_another(asked, wanted, reply, focus):
        yield "other-patient"
    if {*_categories(focus)} - {*_categories(wanted)}:
        yield "other-category"
    if names_another_service(asked, reply, focus):
        yield "other-service"
    if wanted.get("status") != ServiceRequestStatus.ACTIVE:
        return
    if not patients_of(reply, focus, asked):
        yield "no-patient"
    if asked.reason == MessageReason.NEW and not _has_own_encounter(asked, reply):
        yield "no-reference"


def _has_own_encounter(asked: MessageBundle, reply: MessageBundle) -> bool:
    """The receiver's, planned, with the reference that people read out."""
    ours = {asked.full_url_of(each) for each in asked.of_type("Encounter")}
    theirs = [each for each in reply.of_type("Encounter") if reply.full_url_of(each) not in ours]
    planned = [each for each in theirs if each.get("status") == EncounterStatus.PLANNED]
    return any(as_text(each.get("value")) for one in planned for each in dicts(one.get("identifier")))


def _categories(request: Resource) -> list[str]:
    known = set(MessageCategory)
    return [code for each in codings(request.get("category")) if (code := as_text(each.get("code"))) in known]


# What an answer is about: whom, when, where.


def times_of(appointment: Resource) -> tuple[datetime | None, datetime | None]:
    """Start and end, each None when it is missing or no instant."""
    return _instant(appointment.get("start")), _instant(appointment.get("end"))


def _instant(value: object) -> datetime | None:
    try:
        return parse_instant(as_text(value))
    except InvalidInstant:
        return None


def slot_of(bundle: MessageBundle, appointment: Resource) -> Resource | None:
    """The Slot that the appointment names, else the only one of the Bundle."""
    named = bundle.resolve(next(dicts(appointment.get("slot")), {}))
    if named is not None and named.get("resourceType") == "Slot":
        return named
    slots = bundle.of_type("Slot")
    return slots[0] if len(slots) == 1 else None


def service_ids(bundle: MessageBundle, focus: Resource) -> frozenset[str]:
    """DoS ids of the service whose diary the focus's slot is in, else of every service of the Bundle."""
    schedule = bundle.resolve((slot_of(bundle, focus) or {}).get("schedule")) or {}
    actors = (bundle.resolve(each) for each in dicts(schedule.get("actor")))
    own = [each for each in actors if each is not None and each.get("resourceType") == "HealthcareService"]
    return _dos_ids(own) or _dos_ids(bundle.of_type("HealthcareService"))


def _dos_ids(services: list[Resource]) -> frozenset[str]:
    found = (each for service in services for each in dicts(service.get("identifier")))
    ours = (each for each in found if same_system(as_text(each.get("system")), SERVICE_ID_SYSTEM))
    return frozenset(filter(None, (as_text(each.get("value")).strip() for each in ours)))


def names_another_service(asked: MessageBundle, said: MessageBundle, focus: Resource) -> bool:
    """Both name services, and none of them is the same."""
    wanted, found = service_ids(asked, asked.focus or {}), service_ids(said, focus)
    return bool(wanted and found) and not wanted & found


def patients_of(bundle: MessageBundle, focus: Resource, asked: MessageBundle | None = None) -> list[Resource]:
    """The Patients that an Appointment or a request is about; [] when whom it names cannot be known.

    A reference that only `asked` resolves counts: the answer repeats it. Where nobody is named it is the
    only Patient of the Bundle.
    """
    named = [each for each in _named(focus) if as_text(each.get("reference")) or each.get("identifier")]
    found = [_person(bundle, each, asked) for each in named]
    if named:
        return [each for each in found if each]
    everybody = bundle.of_type("Patient")
    return everybody if len(everybody) == 1 else []


def _named(focus: Resource) -> list[Resource]:
    if focus.get("resourceType") != "Appointment":
        return [as_dict(focus.get("subject"))]
    actors = [as_dict(each.get("actor")) for each in dicts(focus.get("participant"))]
    return [each for each in actors if not _is_no_patient(each)]


def _is_no_patient(actor: Resource) -> bool:
    kind = as_text(actor.get("type")) or as_text(actor.get("reference")).rpartition("/")[0].rpartition("/")[2]
    return kind in _NOT_PATIENTS


def _person(bundle: MessageBundle, reference: Resource, asked: MessageBundle | None) -> Resource | None:
    resolved = bundle.resolve(reference) or (asked.resolve(reference) if asked is not None else None)
    if resolved is not None:
        return resolved if resolved.get("resourceType") == "Patient" else None
    identifier = as_dict(reference.get("identifier"))
    return {"resourceType": "Patient", "identifier": [identifier]} if identifier else None


def names_another(asked: MessageBundle, wanted: Resource, said: MessageBundle, focus: Resource) -> bool:
    """Whether somebody whom `focus` of `said` names is not the patient whom `wanted` of `asked` names."""
    people = patients_of(asked, wanted)
    return bool(people) and any(is_another(people[0], each) for each in patients_of(said, focus, asked))


def is_another(one: Resource, other: Resource) -> bool:
    """Whether two Patients are two people, by what both say: birth date, NHS number, else family name.

    What one of them leaves out proves nothing, and a date may be known in part.
    """
    births = [as_text(each.get("birthDate")) for each in (one, other)]
    if all(births) and not births[0].startswith(births[1]) and not births[1].startswith(births[0]):
        return True
    numbers = [_numbers(each) for each in (one, other)]
    if all(numbers):
        return not numbers[0] & numbers[1]
    names = [_names(each) for each in (one, other)]
    return all(names) and not any(same_name(mine[0], theirs[0]) for mine, theirs in product(*names))


def may_be_twins(one: Resource, other: Resource) -> bool:
    """Whether two Patients without a number in common have no first names in common.

    For people to look at: a short form is no other person, so nothing may be concluded from it alone.
    """
    names = [_names(each) for each in (one, other)]
    pairs = [(mine[1], theirs[1]) for mine, theirs in product(*names) if same_name(mine[0], theirs[0])]
    return bool(pairs) and not (_numbers(one) & _numbers(other) or any(names_agree(*pair) for pair in pairs))


def _numbers(patient: Resource) -> set[str]:
    found = (_NO_DIGITS.sub("", as_text(each.get("value"))) for each in nhs_identifiers(patient))
    return {each for each in found if each}


def _names(patient: Resource) -> list[tuple[str, str]]:
    """Family name and first names; twins differ in the latter alone."""
    names = [(as_text(each.get("family")), each.get("given")) for each in dicts(patient.get("name"))]
    return [(family, " ".join(map(as_text, as_list(given)))) for family, given in names if name_key(family)]
