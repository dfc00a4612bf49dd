"""The case: its request, use case, Encounters and journey; where it is, and by when it must be done."""

from __future__ import annotations

from collections.abc import Iterator, Set
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID

from bars_portal.exchange.fhir.bundle import MessageBundle, Resource
from bars_portal.exchange.fhir.codes import (
    USE_CASE_SYSTEM,
    EncounterStatus,
    LocationType,
    MessageCategory,
    UseCase,
)
from bars_portal.exchange.fhir.identifiers import InvalidIdentifier, parse_uuid, same_system
from bars_portal.exchange.fhir.json import as_dict, as_list, as_text, codings, dicts
from bars_portal.exchange.fhir.outcomes import Issue, OutcomeCode
from bars_portal.exchange.fhir.profiles import EXTENSION_LOCATION
from bars_portal.exchange.fhir.rules.model import Facts, Rule, Severity
from bars_portal.exchange.fhir.timestamps import InvalidInstant, parse_instant

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


# An address with nothing but a country or a county sends nobody anywhere.
_ADDRESS_PARTS = ("text", "postalCode", "city")


class Where(StrEnum):
    """The ways of saying where a Location is (standard section 12, "Location of a validation request")."""

    UPRN = "UPRN"
    ADDRESS = "address"
    GRID = "eastings and northings"
    POSITION = "position"
    WHAT3WORDS = "what3words"


# What must be there together in LocationExtension.
_PARTS = {
    Where.UPRN: frozenset({"UPRN"}),
    Where.GRID: frozenset({"eastings", "northings"}),
    Where.WHAT3WORDS: frozenset({"what3words"}),
}
_HALVES = _PARTS[Where.GRID]


def is_told_once(ways: Set[Where]) -> bool:
    """In exactly one way, or by UPRN and address, which the others only add to: two may contradict."""
    return len(ways) == 1 or ways >= {Where.UPRN, Where.ADDRESS}


def _incident_location(bundle: MessageBundle, facts: Facts) -> Iterator[Issue]:
    if facts.row is None or facts.row.is_stripped:
        return
    # A validation has one Location, which is the incident whether it says so or not.
    validates = MessageCategory.VALIDATION in facts.row.categories
    for location in bundle.of_type("Location"):
        ways, path = ways_of(location), (bundle.path_of(location),)
        if (validates or _is_incident(location)) and not ways:
            words = (
                "An incident Location says where by UPRN, address, eastings with northings, what3words or "
                "position; this one does not"
            )
            yield Issue(OutcomeCode.INVARIANT, words, path, warning=not validates)
        elif validates and not facts.row.answers and not (is_told_once(ways) and _is_whole(location)):
            words = (
                "The Location of a validation request says where in exactly one way (UPRN; address; eastings "
                "and northings; position; what3words), or by UPRN and address, and others may be added then"
            )
            yield Issue(OutcomeCode.INVARIANT, words, path)


def _is_incident(location: Resource) -> bool:
    return any(each.get("code") == LocationType.INCIDENT for each in codings(location.get("type")))


def ways_of(location: Resource) -> frozenset[Where]:
    """Each way in which it says where; none: nobody could be sent there."""
    given = _extension_values(location)
    ways = {way for way, parts in _PARTS.items() if given >= parts}
    ways |= {Where.ADDRESS} if _has_address(location) else set()
    return frozenset(ways | ({Where.POSITION} if _has_position(location) else set()))


def _is_whole(location: Resource) -> bool:
    """Eastings alone, or northings, are no way of saying where."""
    return len(_extension_values(location) & _HALVES) != 1


def _extension_values(location: Resource) -> frozenset[str]:
    """Names of the parts of LocationExtension that hold a text."""
    return frozenset(
        as_text(part.get("url"))
        for each in dicts(location.get("extension"))
        if same_system(as_text(each.get("url")), EXTENSION_LOCATION)
        for part in dicts(each.get("extension"))
        if as_text(part.get("valueString")).strip()
    )


def _has_address(location: Resource) -> bool:
    address = as_dict(location.get("address"))
    lines = (as_text(line).strip() for line in as_list(address.get("line")))
    return any(lines) or any(as_text(address.get(part)).strip() for part in _ADDRESS_PARTS)


def _has_position(location: Resource) -> bool:
    position = as_dict(location.get("position"))
    return all(
        isinstance(position.get(name), (int, float, Decimal)) and not isinstance(position.get(name), bool)
        for name in ("latitude", "longitude")
    )


def _breach_time(bundle: MessageBundle, facts: Facts) -> Iterator[Issue]:
    row, request = facts.row, request_of(bundle)
    if row is None or request is None or MessageCategory.VALIDATION not in row.categories:
        return
    if row.answers or row.is_stripped:
        return
    path = f"{bundle.path_of(request)}.occurrencePeriod"
    period, read = as_dict(request.get("occurrencePeriod")), dict[str, datetime]()
    for name in ("start", "end"):
        text = as_text(period.get(name))
        try:
            read[name] = parse_instant(text)
        except InvalidInstant:
            code = OutcomeCode.VALUE if text else OutcomeCode.REQUIRED
            words = f"ServiceRequest.occurrencePeriod.{name} is {'no date and time' if text else 'missing'}"
            yield Issue(code, words, (f"{path}.{name}",))
    if len(read) == 2 and read["end"] < read["start"]:
        words = "ServiceRequest.occurrencePeriod ends before it starts"
        yield Issue(OutcomeCode.INVARIANT, words, (f"{path}.end",))


def _journey(bundle: MessageBundle, _: Facts) -> Iterator[Issue]:
    """Only warnings: section 6 refuses nothing for it, and the clinical content is of use without."""
    first = journey_id(bundle)
    for encounter in bundle.of_type("Encounter"):
        own, path = journey_of(encounter), (f"{bundle.path_of(encounter)}.episodeOfCare",)
        if own is None:
            words = "Encounter.episodeOfCare is no journey id, EpisodeOfCare/<uuid>"
            yield Issue(OutcomeCode.INVARIANT, words, path, warning=True)
        elif own != first:
            words = "The Encounters of the message name different journeys"
            yield Issue(OutcomeCode.INVARIANT, words, path, warning=True)


RULES = (
    Rule(
        "incident-location",
        "6",
        "The Location of a validation says where: UPRN, address, eastings and northings, what3words or "
        "position; in a request in exactly one of these ways, or by UPRN and address, and others added then. "
        "An incident Location of a referral should say where.",
        _incident_location,
        Severity.EITHER,
    ),
    Rule(
        "breach-time",
        "9",
        "A validation request says from when and until when it is to be done.",
        _breach_time,
    ),
    Rule(
        "journey",
        "9",
        "Every Encounter should name the journey, and all of them the same.",
        _journey,
        Severity.WARNING,
    ),
)
