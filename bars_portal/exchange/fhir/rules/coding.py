"""Codes of the systems that we know: recorded when they differ, for official examples differ too."""

from __future__ import annotations

from collections.abc import Iterator

from bars_portal.exchange.fhir.bundle import MessageBundle
from bars_portal.exchange.fhir.codes import KNOWN_CODES
from bars_portal.exchange.fhir.outcomes import Issue, OutcomeCode
from bars_portal.exchange.fhir.rules.elements import located, scan
from bars_portal.exchange.fhir.rules.model import Facts, Rule, Severity


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
