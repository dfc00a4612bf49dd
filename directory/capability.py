"""What services say that they take (standard sections 7 and 8): read, compared, judged and told. Pure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from bars_portal.exchange.fhir.capability import StatedCapability, same_major
from bars_portal.exchange.fhir.codes import USE_CASE_SYSTEM, VALIDATION_USE_CASES, MessageEvent, UseCase
from bars_portal.exchange.fhir.identifiers import same_system
from bars_portal.exchange.fhir.json import as_dict, as_text, codings, dicts
from bars_portal.exchange.fhir.profiles import DEFINITIONS, Definition
from directory.models import HealthcareService, ServiceCapability

_ED = "Emergency department"
_UTC = "Urgent treatment centre"
_SDEC = "Same day emergency care"
_CAS = "a clinical assessment service"

USE_CASE_WORDS: dict[UseCase, str] = {
    UseCase.A1T1: f"{_ED}, sent by NHS 111",
    UseCase.A1T2: f"{_UTC}, sent by NHS 111",
    UseCase.A1T3: f"{_ED}, sent by {_CAS}",
    UseCase.A1T4: f"{_UTC}, sent by {_CAS}",
    UseCase.A1T5: f"{_ED}, sent by 999",
    UseCase.A1T6: f"{_UTC}, sent by 999",
    UseCase.A1T7: f"{_SDEC}, sent by NHS 111",
    UseCase.A1T8: f"{_SDEC}, sent by {_CAS}",
    UseCase.A1T9: f"{_SDEC}, sent by 999",
    UseCase.A2T1: f"{_ED}, sent by NHS 111 online",
    UseCase.A2T2: f"{_UTC}, sent by NHS 111 online",
    UseCase.A2T3: f"{_ED}, sent by streaming and redirection",
    UseCase.A2T4: f"{_UTC}, sent by streaming and redirection",
    UseCase.A3T1: "Clinical assessment, sent by 999",
    UseCase.A4T1: "Clinical validation of a 999 call",
    UseCase.A4T2: "Falls, sent by 999",
    UseCase.A4T3: "Community services, sent by 999",
    UseCase.A5T1: "Pharmacy: minor illness, sent by primary care",
    UseCase.A5T2: "Pharmacy: oral contraception, sent by primary care",
    UseCase.A5T3: "Pharmacy: blood pressure check, sent by primary care",
    UseCase.REFERRAL_TO_PHARMACY: "Pharmacy: referral in the older form",
    UseCase.A6T1: "Ambulance control: incident outside the caller's area",
    UseCase.A6T2: "Ambulance control: help with answering calls",
    UseCase.A6T3: "Ambulance control: mutual aid",
}


def use_case_options() -> list[tuple[str, str]]:
    """(code, words) for a list to choose from, by words."""
    return sorted(((case.value, words) for case, words in USE_CASE_WORDS.items()), key=lambda pair: pair[1])


def use_cases_in_words(codes: Iterable[str]) -> list[str]:
    """Words for what a service accepts; a code that is not known here stays as it is."""
    known = ((UseCase.lookup(code), code) for code in codes)
    return sorted(USE_CASE_WORDS[case] if case is not None else code for case, code in known)


_ALLOWED = frozenset(each.resource_type for facts in DEFINITIONS.values() for each in facts.allowed)
_REQUEST = MessageEvent.SERVICEREQUEST_REQUEST


def use_cases_of(searchset: dict[str, Any], event: MessageEvent = _REQUEST) -> frozenset[str] | None:
    """Codes of usecases-categories-bars that messages of the event may have.

    None when no definition of one names any. One of a version that is not ours cannot be sent here.
    """
    definitions = [each for each in _sound(searchset) if _event(each) == event.value]
    ours = [each for each in definitions if _is_our_version(each)]
    codes = frozenset(code for each in ours for code in _codes(each))
    return codes or (frozenset() if definitions and not ours else None)


def events_of(searchset: dict[str, Any]) -> frozenset[str] | None:
    """Codes of message-events-bars that it takes; None when there is no definition."""
    return frozenset(map(_event, _sound(searchset))) - {""} or None


def _sound(searchset: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """One that allows a resource of no BaRS message (an Invoice, say) is no definition, and tells nothing."""
    for entry in dicts(searchset.get("entry")):
        definition = as_dict(entry.get("resource"))
        if all(as_text(focus.get("code")) in _ALLOWED for focus in dicts(definition.get("focus"))):
            yield definition


def _is_our_version(definition: dict[str, Any]) -> bool:
    known = DEFINITIONS.get(as_text(definition.get("url")))
    return known is None or same_major(as_text(definition.get("version")), known.version)


def _event(definition: dict[str, Any]) -> str:
    return as_text(as_dict(definition.get("eventCoding")).get("code"))[:100]


def _codes(definition: dict[str, Any]) -> Iterator[str]:
    for context in dicts(definition.get("useContext")):
        for coding in codings(context.get("valueCodeableConcept")):
            if same_system(as_text(coding.get("system")), USE_CASE_SYSTEM):
                # No code of the standard is longer than the column.
                yield as_text(coding.get("code"))[:20]


# {aspect: sorted texts}. An aspect that it did not tell of is missing, which is no word against it.
Stated = dict[str, list[str]]


class Aspect(StrEnum):
    REQUESTS = "requests"
    BOOKINGS = "bookings"
    EVENTS = "events"
    DEFINITIONS = "definitions"
    VERSION = "version"
    FORMATS = "formats"


@dataclass(frozen=True)
class Difference:
    """What came and what went, by aspect; an aspect that is the same in neither."""

    added: Stated
    removed: Stated

    def __bool__(self) -> bool:
        return bool(self.added or self.removed)


def stated_by(searchset: Mapping[str, Any] | None, statement: StatedCapability | None) -> Stated:
    """Of its MessageDefinitions and its CapabilityStatement; None: not told."""
    told: dict[Aspect, Iterable[str] | None] = {}
    if searchset is not None:
        told[Aspect.REQUESTS] = use_cases_of(dict(searchset))
        told[Aspect.BOOKINGS] = use_cases_of(dict(searchset), MessageEvent.BOOKING_REQUEST)
        told[Aspect.EVENTS] = events_of(dict(searchset))
    if statement is not None:
        told[Aspect.DEFINITIONS] = statement.definitions
        told[Aspect.VERSION] = [statement.version] if statement.version else None
        told[Aspect.FORMATS] = statement.formats
    # What the database cannot hold is no code of anybody.
    return {
        aspect.value: sorted(each for each in values if each.isprintable())
        for aspect, values in told.items()
        if values is not None
    }


def difference(before: Stated, now: Stated) -> Difference:
    """Only of what was told both times."""
    both = [each for each in Aspect if each in before and each in now]
    return Difference(
        {each.value: new for each in both if (new := sorted(set(now[each]) - set(before[each])))},
        {each.value: gone for each in both if (gone := sorted(set(before[each]) - set(now[each])))},
    )


OTHER_VERSION = (
    "This service works with another version of the standard, so nothing can be sent to it from here. "
    "Telephone the service."
)
NO_BOOKINGS = "This service itself says that it takes no such bookings now. Choose another service."
_KNOWN = frozenset(each.value.rpartition("/")[2] for each in Definition)


def accepts_request(capability: ServiceCapability | None, use_case: UseCase) -> bool:
    """A request, by its MessageDefinitions and by its CapabilityStatement, as far as they say anything."""
    if capability is None:
        return True
    if capability.use_cases is not None and use_case.value not in capability.use_cases:
        return False
    validates = use_case in VALIDATION_USE_CASES
    return _lists(capability, Definition.VALIDATION_REQUEST if validates else Definition.REFERRAL_REQUEST)


def accepts_booking(capability: ServiceCapability | None, use_case: str) -> bool:
    """A booking, by the same."""
    if capability is None:
        return True
    if capability.booking_use_cases is not None and use_case not in capability.booking_use_cases:
        return False
    return _lists(capability, Definition.BOOKING_REQUEST)


def why_no_booking(service: HealthcareService, capability: ServiceCapability | None) -> str:
    """Why, by its own word, no booking can be sent to it; "" when one can, or nothing is known of it."""
    if not speaks_our_version(capability):
        return OTHER_VERSION
    told = any(accepts_booking(capability, each) for each in service.accepted_use_cases)
    return "" if told or not service.accepted_use_cases else NO_BOOKINGS


def speaks_our_version(capability: ServiceCapability | None) -> bool:
    """False when it works with another major version of the standard."""
    return capability is None or bool(capability.agreed_version)


def _lists(capability: ServiceCapability, definition: Definition) -> bool:
    # A statement whose names nobody knows says nothing that could be held against it.
    listed = _KNOWN & set(capability.definitions or ())
    return not listed or definition.value.rpartition("/")[2] in listed


_GONE = {
    Aspect.REQUESTS: "Stopped accepting requests for {}",
    Aspect.BOOKINGS: "Stopped accepting bookings for {}",
    Aspect.EVENTS: "Stopped accepting messages of the kind {}",
    Aspect.DEFINITIONS: "No longer lists the message {}",
    Aspect.VERSION: "No longer works with version {} of the standard",
    Aspect.FORMATS: "No longer speaks {}",
}
_NEW = {
    Aspect.REQUESTS: "Now accepts requests for {}",
    Aspect.BOOKINGS: "Now accepts bookings for {}",
    Aspect.EVENTS: "Now accepts messages of the kind {}",
    Aspect.DEFINITIONS: "Now lists the message {}",
    Aspect.VERSION: "Now works with version {} of the standard",
    Aspect.FORMATS: "Now speaks {}",
}
_USE_CASES = (Aspect.REQUESTS, Aspect.BOOKINGS)


def staff_words(found: Difference) -> tuple[str, ...]:
    """ "Stopped accepting requests for a3t1 (Clinical assessment, sent by 999)"; what went comes first."""
    gone = (
        _GONE[each].format(_listed(each, found.removed[each])) for each in Aspect if each in found.removed
    )
    new = (_NEW[each].format(_listed(each, found.added[each])) for each in Aspect if each in found.added)
    return (*gone, *new)


_ASPECTS = {
    Aspect.REQUESTS: "Requests for",
    Aspect.BOOKINGS: "Bookings for",
    Aspect.EVENTS: "Kinds of message",
    Aspect.DEFINITIONS: "Messages listed",
    Aspect.VERSION: "Version of the standard",
    Aspect.FORMATS: "Formats",
}


def stated_words(stated: Stated) -> tuple[tuple[str, str], ...]:
    """("Requests for", "a3t1 (Clinical assessment, sent by 999)") of each aspect that it told of."""
    told = ((each, stated[each]) for each in Aspect if stated.get(each))
    return tuple((_ASPECTS[each], _listed(each, texts)) for each, texts in told)


def clinician_words(found: Difference, still_missing: Iterable[str]) -> Iterator[str]:
    """ "Stopped accepting requests for Clinical assessment, sent by 999", of the codes that are wanted."""
    wanted = frozenset(still_missing)
    for aspect in _USE_CASES:
        for code in found.removed.get(aspect, ()):
            if code in wanted:
                yield _GONE[aspect].format(_plain(code))


def _listed(aspect: Aspect, texts: Sequence[str]) -> str:
    named = (f"{each} ({_plain(each)})" if aspect in _USE_CASES else each for each in texts)
    return ", ".join(named)


def _plain(code: str) -> str:
    use_case = UseCase.lookup(code)
    return USE_CASE_WORDS[use_case] if use_case is not None else "not known here"
