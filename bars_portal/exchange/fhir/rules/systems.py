"""Identifiers and codes of the systems that we know: recorded, for official examples fall short too."""

from __future__ import annotations

from collections.abc import Iterator

from bars_portal.exchange.fhir.bundle import MessageBundle
from bars_portal.exchange.fhir.codes import KNOWN_CODES
from bars_portal.exchange.fhir.identifiers import (
    ODS_SYSTEM,
    SERVICE_ID_SYSTEM,
    is_verified,
    nhs_identifiers,
    read_nhs_number,
    same_system,
)
from bars_portal.exchange.fhir.outcomes import Issue, OutcomeCode
from bars_portal.exchange.fhir.reading import as_text, dicts
from bars_portal.exchange.fhir.rules.model import Facts, Rule, Severity, located, scan

_SYSTEMS = (("Organization", ODS_SYSTEM), ("HealthcareService", SERVICE_ID_SYSTEM))


def _nhs_number(bundle: MessageBundle, _: Facts) -> Iterator[Issue]:
    for patient in bundle.of_type("Patient"):
        path = (f"{bundle.path_of(patient)}.identifier",)
        for identifier in nhs_identifiers(patient):
            if read_nhs_number(identifier) is None:
                words = "The NHS number fails its check, so it is not used to find the patient"
                yield Issue(OutcomeCode.VALUE, words, path, warning=True)
            elif not is_verified(identifier):
                words = "The NHS number is not marked as verified, so it is not used to find the patient"
                yield Issue(OutcomeCode.VALUE, words, path, warning=True)


def _systems(bundle: MessageBundle, _: Facts) -> Iterator[Issue]:
    for kind, expected in _SYSTEMS:
        for resource in bundle.of_type(kind):
            for identifier in dicts(resource.get("identifier")):
                system = as_text(identifier.get("system"))
                if system != expected and same_system(system, expected):
                    words = f"The identifier system of a resource of type {kind} is not written {expected}"
                    path = f"{bundle.path_of(resource)}.identifier"
                    yield Issue(OutcomeCode.VALUE, words, (path,), warning=True)


def _codes(bundle: MessageBundle, facts: Facts) -> Iterator[Issue]:
    wrong = [
        (resource, coding)
        for resource, coding in (facts.elements or scan(bundle)).codings
        if (known := KNOWN_CODES.get(coding["system"])) is not None and coding["code"] not in known
    ]
    for path, coding in located(bundle, wrong):
        words = f"{path} has a code that {coding['system']} does not have"
        yield Issue(OutcomeCode.VALUE, words, (f"{path}.code",), warning=True)


def _displays(bundle: MessageBundle, facts: Facts) -> Iterator[Issue]:
    wrong = [
        (resource, coding)
        for resource, coding in (facts.elements or scan(bundle)).codings
        if isinstance(display := coding.get("display"), str)
        and (expected := KNOWN_CODES.get(coding["system"], {}).get(coding["code"])) is not None
        and display != expected
        and display.casefold() != expected.casefold()
    ]
    for path, _ in located(bundle, wrong):
        words = f"{path} has another display than its code system"
        yield Issue(OutcomeCode.VALUE, words, (f"{path}.display",), warning=True)


RULES = (
    Rule(
        "nhs-number",
        "6",
        "An NHS number should pass its check and be marked as verified; else nobody is matched by it.",
        _nhs_number,
        Severity.WARNING,
    ),
    Rule(
        "identifier-system",
        "6",
        "An ODS code and a service id should be in their systems to the letter.",
        _systems,
        Severity.WARNING,
    ),
    Rule(
        "codes",
        "6",
        "Flags, rejected reasons, priorities, places and categories should have codes of their systems.",
        _codes,
        Severity.WARNING,
    ),
    Rule(
        "displays",
        "6",
        "The display of a code should be that of its code system.",
        _displays,
        Severity.WARNING,
    ),
)
