"""What a case's columns say, read from its message: an index for worklists, never the record."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from bars_portal.exchange.fhir.bundle import MessageBundle, Resource
from bars_portal.exchange.fhir.json import as_dict, dicts, id_in
from bars_portal.exchange.fhir.rules.case import requester_encounter
from referrals.cases import wire
from referrals.parts import assessment, flags


@dataclass(frozen=True)
class Facts:
    """What the columns of a case say. All instants are aware."""

    use_case: str
    priority: str
    occurrence_start: datetime | None
    breach_at: datetime | None
    authored_on: datetime | None
    case_number: str
    requester_ods_code: str
    requester_name: str
    flags: tuple[str, ...]
    safeguarding: bool
    scene_unsafe: bool
    booking_ids: tuple[UUID, ...]


def facts_of(bundle: MessageBundle, request: Resource, *, use_case: str, sender: Resource) -> Facts:
    """`bundle` finds the entries by type and fullUrl: it need not be a whole message."""
    period = as_dict(request.get("occurrencePeriod"))
    ods_code, name = wire.code_and_name(sender)
    return Facts(
        use_case=use_case,
        priority=assessment.priority_of(bundle, request),
        occurrence_start=wire.instant(period.get("start")),
        breach_at=wire.instant(period.get("end")),
        authored_on=wire.instant(request.get("authoredOn")),
        case_number=wire.identifier_of(requester_encounter_of(bundle)),
        requester_ods_code=ods_code,
        requester_name=name,
        flags=flags.flag_categories(bundle),
        safeguarding=flags.has_safeguarding(bundle),
        scene_unsafe=flags.scene_is_unsafe(bundle),
        booking_ids=_booking_ids(request),
    )


def requester_encounter_of(bundle: MessageBundle) -> Resource | None:
    named = requester_encounter(bundle)
    return named if named is not None else next(iter(bundle.of_type("Encounter")), None)


def _booking_ids(request: Resource) -> tuple[UUID, ...]:
    """supportingInfo "Appointment/<uuid>": the booking that was made first (standard section 9)."""
    named = (id_in(each, "Appointment") for each in dicts(request.get("supportingInfo")))
    ids = (wire.uuid_or_none(each) for each in named)
    return tuple(dict.fromkeys(each for each in ids if each is not None))


def columns(facts: Facts) -> dict[str, Any]:
    """Columns of a case that a message decides."""
    return {**vars(facts), "flags": list(facts.flags), "booking_ids": list(facts.booking_ids)}
