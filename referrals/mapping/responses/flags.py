"""Warnings in an answer: as they were sent, ended where the responder says so, and new ones."""

from datetime import datetime

from bars_portal.correspondence.entries import Entry
from bars_portal.exchange.fhir.bundle import Resource
from bars_portal.exchange.fhir.codes import (
    SAFEGUARDING,
    SAFEGUARDING_SYSTEM,
    DosRejectedReason,
    FlagCategory,
    SceneSafety,
)
from bars_portal.exchange.fhir.profiles import FLAG, FLAG_SCENE_SAFETY
from bars_portal.exchange.fhir.reading import as_dict
from bars_portal.exchange.fhir.timestamps import format_instant
from referrals.content_answers import NonAttendance, Outcome, RaisedFlag
from referrals.mapping.responses.held import HeldRequest

_SYSTEMS = {
    FlagCategory.SAFEGUARDING: SAFEGUARDING_SYSTEM,
    FlagCategory.SCENE_SAFETY: SceneSafety.SAFE.system,
    FlagCategory.REJECTED_SERVICES: DosRejectedReason.OTHER.system,
    FlagCategory.REASONABLE_ADJUSTMENT: "https://fhir.nhs.uk/CodeSystem/reasonable-adjustment-codes-bars",
}


def flag_entries(held: HeldRequest, said: Outcome, *, encounter_url: str, now: datetime) -> list[Entry]:
    """Every flag of the request, and what the outcome adds."""
    ended = set(said.flags_ended)
    known = [(url, _ended(flag, now) if url in ended else flag) for url, flag in held.of_types({"Flag"})]
    new = [_entry(held, raised, encounter_url, now) for raised in said.flags_raised]
    return known + [entry for entry in dict(new).items() if entry[0] not in dict(known)]


def safeguarding_entries(held: HeldRequest, said: NonAttendance, *, now: datetime) -> list[Entry]:
    """Every flag of the request, and the concern of whoever waited for the patient in vain."""
    known = held.of_types({"Flag"})
    if not said.safeguarding_code:
        return known
    raised = RaisedFlag(
        FlagCategory.SAFEGUARDING,
        said.safeguarding_code,
        SAFEGUARDING.get(said.safeguarding_code, ""),
        said.safeguarding_words,
    )
    return [*known, _entry(held, raised, held.requester_encounter[0], now)]


def _ended(flag: Resource, now: datetime) -> Resource:
    stamp = format_instant(now)
    return {
        **flag,
        "meta": {**as_dict(flag.get("meta")), "lastUpdated": stamp},
        "status": "inactive",
        "period": {**as_dict(flag.get("period")), "end": stamp},
    }


def _entry(held: HeldRequest, raised: RaisedFlag, encounter_url: str, now: datetime) -> Entry:
    scene = raised.category is FlagCategory.SCENE_SAFETY
    locations = held.of_types({"Location"})
    about = locations[0][0] if scene and locations else held.patient[0]
    return held.part_url(f"flag|{raised.category}|{raised.code}|{raised.words}"), {
        "resourceType": "Flag",
        "meta": {
            "lastUpdated": format_instant(now),
            "profile": [FLAG_SCENE_SAFETY if scene else FLAG],
        },
        "status": "active",
        "category": [{"coding": [raised.category.coding]}],
        "code": _code(raised),
        "subject": {"reference": about},
        "period": {"start": format_instant(now)},
        "encounter": {"reference": encounter_url},
    }


def _code(raised: RaisedFlag) -> Resource:
    code: Resource = {"text": raised.words} if raised.words.strip() else {}
    if not raised.code:
        return code
    coding = {"system": _SYSTEMS.get(raised.category, raised.category.system), "code": raised.code}
    return {"coding": [{**coding, "display": raised.display} if raised.display else coding], **code}
