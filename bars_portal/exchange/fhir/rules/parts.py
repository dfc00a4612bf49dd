"""Finding the parts of a case in a message: its request, use case, Encounters and journey."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from bars_portal.exchange.fhir.bundle import MessageBundle, Resource
from bars_portal.exchange.fhir.codes import USE_CASE_SYSTEM, EncounterStatus, MessageCategory, UseCase
from bars_portal.exchange.fhir.identifiers import InvalidIdentifier, parse_uuid, same_system
from bars_portal.exchange.fhir.reading import as_text, codings, dicts

_EPISODE = "EpisodeOfCare/"
# Where each focus carries its use case.
_USE_CASE_ELEMENTS = {"Appointment": "serviceCategory", "ServiceRequest": "category"}


def request_of(bundle: MessageBundle) -> Resource | None:
    """The ServiceRequest that the message is about: its focus, or else the first one."""
    focus = bundle.focus
    if focus is not None and focus.get("resourceType") == "ServiceRequest":
        return focus
    return next(iter(bundle.of_type("ServiceRequest")), None)


def category_codes(request: Resource | None) -> frozenset[str]:
    """Codes of ServiceRequest.category in the system of message categories."""
    return frozenset(
        as_text(each.get("code"))
        for each in codings((request or {}).get("category"))
        if same_system(as_text(each.get("system")), MessageCategory.REFERRAL.system)
    )


def use_case_carrier(bundle: MessageBundle) -> tuple[Resource, str] | None:
    """The resource that names the use case, and its element; an Encounter's is its ServiceRequest."""
    focus = bundle.focus
    if focus is None:
        return None
    if as_text(focus.get("resourceType")) not in _USE_CASE_ELEMENTS:
        focus = request_of(bundle)
    return (focus, _USE_CASE_ELEMENTS[as_text(focus.get("resourceType"))]) if focus is not None else None


def use_case_codings(bundle: MessageBundle) -> list[dict[str, Any]]:
    """The Codings in the system of use cases that the message is filed under."""
    carrier = use_case_carrier(bundle)
    found = codings(carrier[0].get(carrier[1])) if carrier else iter(())
    return [each for each in found if same_system(as_text(each.get("system")), USE_CASE_SYSTEM)]


def use_cases_of(bundle: MessageBundle) -> frozenset[UseCase]:
    """The known use cases that the message names; one, in a sound message."""
    found = (UseCase.lookup(each.get("code")) for each in use_case_codings(bundle))
    return frozenset(each for each in found if each is not None)


def use_case_of(bundle: MessageBundle) -> UseCase | None:
    """The use case; None when there is none, or more than one."""
    found = use_cases_of(bundle)
    return next(iter(found)) if len(found) == 1 else None


def requester_encounter(bundle: MessageBundle) -> Resource | None:
    """The Encounter in which the request was made: the one that the ServiceRequest names."""
    found = bundle.resolve((request_of(bundle) or {}).get("encounter"))
    return found if found is not None and found.get("resourceType") == "Encounter" else None


def responder_encounters(bundle: MessageBundle) -> list[Resource]:
    """What may be the responder's: the focus, else a cancelled one, else all but the requester's."""
    focus = bundle.focus
    if focus is not None and focus.get("resourceType") == "Encounter":
        return [focus]
    requester = requester_encounter(bundle)
    everyone = bundle.of_type("Encounter")
    others = [each for each in everyone if each is not requester] or everyone
    cancelled = [each for each in others if each.get("status") == EncounterStatus.CANCELLED]
    return cancelled or others


def responder_encounter(bundle: MessageBundle) -> Resource | None:
    """The likeliest of them: a request is triaged, so an Encounter in another state is the answer to it."""
    found = responder_encounters(bundle)
    answering = [each for each in found if each.get("status") != EncounterStatus.TRIAGED]
    return next(iter(answering or found[::-1]), None)


def journey_reference(encounter: Resource) -> str:
    """Text of the first Encounter.episodeOfCare reference."""
    return as_text(next(dicts(encounter.get("episodeOfCare")), {}).get("reference"))


def journey_of(encounter: Resource) -> UUID | None:
    """The journey id of an Encounter, "EpisodeOfCare/<uuid>"; None when it has none of that form."""
    text = journey_reference(encounter)
    try:
        return parse_uuid(text.removeprefix(_EPISODE)) if text.startswith(_EPISODE) else None
    except InvalidIdentifier:
        return None


def journey_id(bundle: MessageBundle) -> UUID | None:
    """The journey that the message belongs to: the first that an Encounter names."""
    found = (journey_of(each) for each in bundle.of_type("Encounter"))
    return next((each for each in found if each is not None), None)
