"""The consent under which information is shared."""

from __future__ import annotations

from collections.abc import Iterator

from bars_portal.exchange.fhir.bundle import MessageBundle
from bars_portal.exchange.fhir.codes import ConsentCategory
from bars_portal.exchange.fhir.outcomes import Issue, OutcomeCode
from bars_portal.exchange.fhir.reading import codings
from bars_portal.exchange.fhir.rules.model import Facts, Rule


def _direct_care(bundle: MessageBundle, _: Facts) -> Iterator[Issue]:
    for consent in bundle.of_type("Consent"):
        codes = {each.get("code") for each in codings(consent.get("category")) if "code" in each}
        if ConsentCategory.DIRECT_CARE not in codes:
            path = f"{bundle.path_of(consent)}.category"
            yield Issue(OutcomeCode.INVARIANT, "Consent.category is not DRC, direct care", (path,))


RULES = (Rule("consent", "6", "A consent is for direct care.", _direct_care),)
