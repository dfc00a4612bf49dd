"""The use case of a message and whether the service takes it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bars_portal.exchange.fhir.bundle import MessageBundle, Resource
from bars_portal.exchange.fhir.codes import USE_CASE_SYSTEM, UseCase
from bars_portal.exchange.fhir.identifiers import same_system
from bars_portal.exchange.fhir.outcomes import Issue, OutcomeCode
from bars_portal.exchange.fhir.reading import as_text, codings
from bars_portal.exchange.fhir.rules.model import Facts, Rule

# Where each focus carries its use case.
_ELEMENTS = {"Appointment": "serviceCategory", "ServiceRequest": "category"}


def _carrier(bundle: MessageBundle) -> tuple[Resource, str] | None:
    """The resource that names the use case, and its element; an Encounter's is its ServiceRequest."""
    focus = bundle.focus
    if focus is None:
        return None
    if as_text(focus.get("resourceType")) not in _ELEMENTS:
        focus = next(iter(bundle.of_type("ServiceRequest")), None)
    return (focus, _ELEMENTS[as_text(focus.get("resourceType"))]) if focus is not None else None


def use_case_codings(bundle: MessageBundle) -> list[dict[str, Any]]:
    """The Codings in the system of use cases that the message is filed under."""
    carrier = _carrier(bundle)
    found = codings(carrier[0].get(carrier[1])) if carrier else iter(())
    return [each for each in found if same_system(as_text(each.get("system")), USE_CASE_SYSTEM)]


def _use_case(bundle: MessageBundle, facts: Facts) -> Iterator[Issue]:
    carrier = _carrier(bundle)
    if carrier is None or facts.row is None:
        return
    path = f"{bundle.path_of(carrier[0])}.{carrier[1]}"
    codes = [UseCase.lookup(each.get("code")) for each in use_case_codings(bundle)]
    if not codes:
        words = f"{path} has no coding of usecases-categories-bars"
        yield Issue(OutcomeCode.INVARIANT, words, (path,))
    elif None in codes:
        yield Issue(OutcomeCode.VALUE, f"{path} is not a code of usecases-categories-bars", (path,))
    elif facts.service is not None and facts.service.accepted_use_cases.isdisjoint(map(str, codes)):
        words = f"{path} is a use case that the service does not accept"
        yield Issue(OutcomeCode.INVARIANT, words, (path,))


RULES = (Rule("use-case", "6", "The use case is present, known and one the service accepts.", _use_case),)
