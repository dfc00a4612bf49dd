"""Warnings: Flag, scene safety by a profile of its own that is about the place."""

from bars_portal.exchange.fhir import profiles
from bars_portal.exchange.fhir.bundle import Resource
from bars_portal.exchange.fhir.codes import FlagCategory, LocationType
from bars_portal.exchange.fhir.timestamps import format_instant
from referrals.content import Flag, RequestContent
from referrals.mapping.requests.frame import Entry, Frame, concept_to_fhir
from referrals.mapping.requests.places import place_part


def flag_entries(frame: Frame, content: RequestContent) -> list[Entry]:
    """One for each flag, and one that the answers about rejected services hang on."""
    listed = [
        (frame.url(f"flag {number}"), _flag(frame, content, flag))
        for number, flag in enumerate(content.flags)
    ]
    return [*listed, *_rejected(frame, content)]


def _flag(frame: Frame, content: RequestContent, flag: Flag) -> Resource:
    return {
        **_head(frame, flag.category),
        "code": concept_to_fhir(flag.concept),
        "subject": _subject(frame, content, flag.category),
        "period": {"start": format_instant(flag.since or content.assessment.started_at or frame.now)},
        "encounter": frame.ref("encounter"),
        "author": frame.ref("practitioner"),
    }


def _rejected(frame: Frame, content: RequestContent) -> list[Entry]:
    if not content.rejected_services:
        return []
    flag = {
        **_head(frame, FlagCategory.REJECTED_SERVICES),
        "code": {"text": "Services that were offered and not taken"},
        "subject": frame.ref("patient"),
        "encounter": frame.ref("encounter"),
        "author": frame.ref("practitioner"),
    }
    return [(frame.url("rejected flag"), flag)]


def _head(frame: Frame, category: FlagCategory) -> Resource:
    is_scene = category is FlagCategory.SCENE_SAFETY
    profile = profiles.FLAG_SCENE_SAFETY if is_scene else profiles.FLAG
    return {
        **frame.head("Flag", profile),
        "status": "active",
        "category": [{"coding": [category.coding]}],
    }


def _subject(frame: Frame, content: RequestContent, category: FlagCategory) -> Resource:
    if category is not FlagCategory.SCENE_SAFETY:
        return frame.ref("patient")
    kinds = [place.type for place in content.places]
    incident = kinds.index(LocationType.INCIDENT) if LocationType.INCIDENT in kinds else 0
    return frame.ref(place_part(incident))
