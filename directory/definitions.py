"""What a service takes, as its MessageDefinitions tell it (standard section 7).

A definition that allows a resource of no BaRS message (an Invoice, say) is not one, and tells nothing.
"""

from collections.abc import Iterator
from typing import Any

from bars_portal.exchange.fhir.codes import USE_CASE_SYSTEM, MessageEvent
from bars_portal.exchange.fhir.definitions import DEFINITIONS
from bars_portal.exchange.fhir.identifiers import same_system
from bars_portal.exchange.fhir.reading import as_dict, as_text, codings, dicts

_ALLOWED = frozenset(each.resource_type for facts in DEFINITIONS.values() for each in facts.allowed)
_REQUEST = MessageEvent.SERVICEREQUEST_REQUEST


def use_cases_of(searchset: dict[str, Any], event: MessageEvent = _REQUEST) -> frozenset[str] | None:
    """Codes of usecases-categories-bars that messages of the event may have.

    None when no definition of one names any.
    """
    definitions = (each for each in _sound(searchset) if _event(each) == event.value)
    return frozenset(code for each in definitions for code in _codes(each)) or None


def events_of(searchset: dict[str, Any]) -> frozenset[str] | None:
    """Codes of message-events-bars that it takes; None when there is no definition."""
    return frozenset(map(_event, _sound(searchset))) - {""} or None


def _sound(searchset: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for entry in dicts(searchset.get("entry")):
        definition = as_dict(entry.get("resource"))
        if all(as_text(focus.get("code")) in _ALLOWED for focus in dicts(definition.get("focus"))):
            yield definition


def _event(definition: dict[str, Any]) -> str:
    return as_text(as_dict(definition.get("eventCoding")).get("code"))[:100]


def _codes(definition: dict[str, Any]) -> Iterator[str]:
    for context in dicts(definition.get("useContext")):
        for coding in codings(context.get("valueCodeableConcept")):
            if same_system(as_text(coding.get("system")), USE_CASE_SYSTEM):
                # No code of the standard is longer than the column.
                yield as_text(coding.get("code"))[:20]
