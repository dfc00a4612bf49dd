"""The appointment of a booking and the slot that it takes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from bars_portal.exchange.fhir.bundle import MessageBundle, Resource
from bars_portal.exchange.fhir.identifiers import is_uuid
from bars_portal.exchange.fhir.outcomes import Issue, OutcomeCode
from bars_portal.exchange.fhir.reading import as_text, dicts
from bars_portal.exchange.fhir.rules.model import Facts, Rule
from bars_portal.exchange.fhir.timestamps import InvalidInstant, parse_instant


def _appointment(bundle: MessageBundle) -> Resource | None:
    """The focus when it is an Appointment; other messages have none to judge."""
    focus = bundle.focus
    return focus if focus is not None and focus.get("resourceType") == "Appointment" else None


def _times(bundle: MessageBundle, facts: Facts) -> Iterator[Issue]:
    appointment = _appointment(bundle)
    if appointment is None or facts.row is None:
        return
    path = bundle.path_of(appointment)
    read: dict[str, datetime] = {}
    for name in ("start", "end"):
        if not as_text(appointment.get(name)):
            yield Issue(OutcomeCode.REQUIRED, f"Appointment.{name} is missing", (f"{path}.{name}",))
            continue
        try:
            read[name] = parse_instant(as_text(appointment.get(name)))
        except InvalidInstant:
            words = f"Appointment.{name} is not a date and time with an offset"
            yield Issue(OutcomeCode.VALUE, words, (f"{path}.{name}",))
    if len(read) == 2 and read["end"] <= read["start"]:
        yield Issue(OutcomeCode.INVARIANT, "Appointment.end is not after Appointment.start", (f"{path}.end",))


def _slot(bundle: MessageBundle, facts: Facts) -> Iterator[Issue]:
    appointment = _appointment(bundle)
    if appointment is None or facts.row is None or facts.row.is_stripped:
        return
    path = f"{bundle.path_of(appointment)}.slot"
    reference = next(dicts(appointment.get("slot")), None)
    slot = bundle.resolve(reference)
    if reference is None:
        yield Issue(OutcomeCode.REQUIRED, "Appointment.slot is missing", (path,))
    elif slot is not None and slot.get("resourceType") != "Slot":
        yield Issue(OutcomeCode.INVARIANT, "Appointment.slot does not point at a Slot", (path,))
    elif slot is not None:
        yield from _slot_id(bundle, slot)


def _slot_id(bundle: MessageBundle, slot: Resource) -> Iterator[Issue]:
    path, ident = f"{bundle.path_of(slot)}.id", as_text(slot.get("id"))
    if not ident:
        yield Issue(OutcomeCode.REQUIRED, "Slot.id is missing: it says which slot is booked", (path,))
    elif not is_uuid(ident):
        yield Issue(OutcomeCode.VALUE, "Slot.id is not a UUID", (path,))


RULES = (
    Rule("appointment-times", "6", "The appointment has a start and a later end, with offsets.", _times),
    Rule("appointment-slot", "6", "A new booking names the slot that it takes by its id.", _slot),
)
