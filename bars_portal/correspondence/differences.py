"""What a service says otherwise than it was asked, both in words, for people to settle. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from bars_portal.correspondence.entries import clean
from bars_portal.correspondence.history import NOTE_LENGTH
from bars_portal.exchange.fhir.bundle import MessageBundle, Resource
from bars_portal.exchange.fhir.json import as_text, dicts
from bars_portal.exchange.fhir.replies import (
    is_another,
    may_be_twins,
    patients_of,
    service_ids,
    slot_of,
    times_of,
)
from bars_portal.nhsuk import dates
from bars_portal.patients.reading import patient_from_fhir

TIME, SLOT, SERVICE, PATIENT = "Date and time", "Slot", "Service", "Patient"
_NOT_STATED = "Not stated"
_NAME = 60


@dataclass(frozen=True)
class Difference:
    """One thing that both name and that is not the same: TIME, SLOT, SERVICE or PATIENT."""

    what: str
    asked: str
    said: str


@dataclass(frozen=True)
class Told:
    """An Appointment or a ServiceRequest, and the Bundle that says what it refers to."""

    bundle: MessageBundle
    focus: Resource


def differences(asked: Told, said: Told, *, now: datetime) -> list[Difference]:
    """[] when the service says what it was asked; what it leaves out beside the time is no difference.

    Of several names that somebody has, `now` decides which is told.
    """
    people = _people(asked, said, now)
    return [*_times(asked, said), *_slots(asked, said), *_services(asked, said), *people]


def alone(focus: Resource) -> Told:
    """What a read brings: the resource by itself."""
    cleaned: Resource = clean(focus)
    return Told(MessageBundle({"entry": [{"resource": cleaned}]}), cleaned)


def with_contradiction(words: str, found: list[Difference]) -> str:
    """Why an outcome is not known, and what the service says instead: the first thing, with both sides."""
    if not found:
        return words
    said = f"We asked for {found[0].asked}; the service says {found[0].said}."
    whole = f"{said} {words}"
    return whole if len(whole) <= NOTE_LENGTH else f"{said} Call the service."[:NOTE_LENGTH]


def _times(asked: Told, said: Told) -> Iterator[Difference]:
    if asked.focus.get("resourceType") != "Appointment":
        return
    wanted, found = times_of(asked.focus), times_of(said.focus)
    if found == wanted:
        # Its own slot may contradict the appointment.
        found = times_of(slot_of(said.bundle, said.focus) or {})
        if all(one in (None, other) for one, other in zip(found, wanted, strict=True)):
            return
    yield Difference(TIME, _from_to(*wanted), _from_to(*found))


def _from_to(start: datetime | None, end: datetime | None) -> str:
    if start is None:
        return _NOT_STATED
    words = f"{dates.format_day(start)}, {dates.format_time(start)}"
    return f"{words} to {dates.format_time(end)}" if end else words


def _slots(asked: Told, said: Told) -> Iterator[Difference]:
    wanted, found = _slot_id(asked), _slot_id(said)
    if wanted and found and wanted != found:
        yield Difference(SLOT, "the slot that was offered", "another slot")


def _slot_id(told: Told) -> str:
    """Of the Slot in the Bundle, else by a reference "Slot/<id>" to one that is not."""
    slot = slot_of(told.bundle, told.focus)
    if slot is not None:
        return as_text(slot.get("id"))
    kind, _, ident = as_text(next(dicts(told.focus.get("slot")), {}).get("reference")).partition("/")
    return ident if kind == "Slot" else ""


def _services(asked: Told, said: Told) -> Iterator[Difference]:
    wanted, found = (service_ids(each.bundle, each.focus) for each in (asked, said))
    if wanted and found and not wanted & found:
        yield Difference(SERVICE, _listed(wanted), _listed(found))


def _listed(ids: frozenset[str]) -> str:
    return f"service {', '.join(sorted(ids))}"[:_NAME]


def _people(asked: Told, said: Told, now: datetime) -> Iterator[Difference]:
    wanted = next(iter(patients_of(asked.bundle, asked.focus)), None)
    found = patients_of(said.bundle, said.focus, asked.bundle)
    if wanted is None:
        return
    other = next((each for each in found if is_another(wanted, each) or may_be_twins(wanted, each)), None)
    if other is not None:
        yield Difference(PATIENT, _person(wanted, now), _person(other, now))


def _person(patient: Resource, now: datetime) -> str:
    """ "PATEL, Emma, born 14-Jul-1945, NHS number 9990001234", as far as it is known."""
    details = patient_from_fhir(patient, now=now)
    name = ", ".join(part for part in (details.family_name.upper(), details.given_names) if part)[:_NAME]
    born = f"born {dates.format_birth_date(details.birth_date)}" if details.birth_date else ""
    number = f"NHS number {details.nhs_number}" if details.nhs_number else ""
    return ", ".join(part for part in (name, born, number) if part) or _NOT_STATED
