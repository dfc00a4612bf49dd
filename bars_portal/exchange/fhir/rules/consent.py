"""The consent under which information is shared."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bars_portal.exchange.fhir.bundle import MessageBundle
from bars_portal.exchange.fhir.codes import ConsentCategory
from bars_portal.exchange.fhir.identifiers import same_system
from bars_portal.exchange.fhir.outcomes import Issue, OutcomeCode
from bars_portal.exchange.fhir.reading import as_text, codings
from bars_portal.exchange.fhir.rules.model import Facts, Rule


def _direct_care(bundle: MessageBundle, _: Facts) -> Iterator[Issue]:
    for consent in bundle.of_type("Consent"):
        if not any(map(_is_direct_care, codings(consent.get("category")))):
            path = f"{bundle.path_of(consent)}.category"
            yield Issue(OutcomeCode.INVARIANT, "Consent.category is not DRC, direct care", (path,))


def _is_direct_care(coding: dict[str, Any]) -> bool:
    system = as_text(coding.get("system"))
    known = not system or same_system(system, ConsentCategory.DIRECT_CARE.system)
    return known and coding.get("code") == ConsentCategory.DIRECT_CARE


RULES = (Rule("consent", "6", "A consent is for direct care.", _direct_care),)
