"""The journey that joins the messages of one case."""

from __future__ import annotations

from collections.abc import Iterator

from bars_portal.exchange.fhir.bundle import MessageBundle
from bars_portal.exchange.fhir.outcomes import Issue, OutcomeCode
from bars_portal.exchange.fhir.rules.model import Facts, Rule, Severity
from bars_portal.exchange.fhir.rules.parts import journey_id, journey_of


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
        "journey",
        "9",
        "Every Encounter should name the journey, and all of them the same.",
        _journey,
        Severity.WARNING,
    ),
)
