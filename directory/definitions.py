"""Which requests a service takes, as its MessageDefinitions tell it (standard section 7).

A definition that allows a resource of no BaRS message (an Invoice, say) is not one, and tells nothing.
"""

from collections.abc import Iterator
from typing import Any

from bars_portal.exchange.fhir.codes import USE_CASE_SYSTEM, MessageEvent
from bars_portal.exchange.fhir.definitions import DEFINITIONS
from bars_portal.exchange.fhir.identifiers import same_system
from bars_portal.exchange.fhir.reading import as_dict, as_text, codings, dicts

_ALLOWED = frozenset(each.resource_type for facts in DEFINITIONS.values() for each in facts.allowed)


def use_cases_of(searchset: dict[str, Any]) -> frozenset[str] | None:
    """Codes of usecases-categories-bars that requests may have; None when no definition of one names any."""
    found = frozenset(_codes(searchset))
    return found or None


def _codes(searchset: dict[str, Any]) -> Iterator[str]:
    for entry in dicts(searchset.get("entry")):
        definition = as_dict(entry.get("resource"))
        event = as_text(as_dict(definition.get("eventCoding")).get("code"))
        if event != MessageEvent.SERVICEREQUEST_REQUEST.value or not _is_sound(definition):
            continue
        for context in dicts(definition.get("useContext")):
            for coding in codings(context.get("valueCodeableConcept")):
                if same_system(as_text(coding.get("system")), USE_CASE_SYSTEM):
                    yield as_text(coding.get("code"))


def _is_sound(definition: dict[str, Any]) -> bool:
    return all(as_text(focus.get("code")) in _ALLOWED for focus in dicts(definition.get("focus")))
