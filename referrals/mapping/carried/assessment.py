"""The requester's assessment: narrative, triage outcomes, priority, complaint, what the patient was told."""

from collections.abc import Mapping

from bars_portal.exchange.fhir.bundle import MessageBundle, Resource
from bars_portal.exchange.fhir.codes import ARPPriority
from bars_portal.exchange.fhir.reading import as_text, codings, dicts
from referrals.content import Assessment, Concept, Condition, Expectations, Outcome, OutcomeKind
from referrals.mapping.carried.reading import (
    code_in,
    concept_of,
    date_of,
    each_tried,
    standing,
    tried,
)
from referrals.mapping.clinical import outcome_concepts
from referrals.mapping.requests.observations import WISHES

_COMPLAINT = "33962009"
_KINDS: Mapping[str, OutcomeKind] = {
    "pathways-dx-codes": OutcomeKind.DISPOSITION,
    "pathways-sd-codes": OutcomeKind.SYMPTOM_DISCRIMINATOR,
    "pathways-sg-codes": OutcomeKind.SYMPTOM_GROUP,
}
_BY_LABEL = {kind.label: kind for kind in OutcomeKind}


def carried_assessment(bundle: MessageBundle, request_priority: bool) -> Assessment:
    """Without clock and case number: those are of the new call. Words without a code are the narrative."""
    coded, words = [], []
    priority: ARPPriority | None = None
    for concept in outcome_concepts(bundle):
        arp = ARPPriority.lookup(code_in(concept, ARPPriority.C1.system))
        if arp is not None:
            priority = priority or arp
        elif any(codings(concept)):
            coded.append(concept)
        else:
            words.append(as_text(concept.get("text")))
    made = tried(
        lambda: Assessment(
            narrative="\n\n".join(filter(None, words)),
            outcomes=each_tried(_outcome, coded),
            priority=priority if request_priority else None,
        )
    )
    return made or Assessment()


def carried_condition(bundle: MessageBundle) -> Condition | None:
    """The presenting complaint, else the first condition."""
    found = sorted(standing(bundle.of_type("Condition")), key=lambda each: not _is_complaint(each))
    return next(iter(each_tried(_condition, found)), None)


def carried_expectations(bundle: MessageBundle, request: Resource) -> Expectations:
    """ServiceRequest.patientInstruction, and the wishes that we ourselves would send."""
    wishes = (
        as_text(each.get("valueString"))
        for each in bundle.of_type("Observation")
        if as_text((each.get("code") or {}).get("text")) == WISHES
    )
    told = as_text(request.get("patientInstruction"))
    return tried(lambda: Expectations(told, next(wishes, ""))) or Expectations()


def _outcome(concept: Resource) -> Outcome:
    """Its kind is told by its words, where those are ours, or by the system of its code."""
    kind, read = _BY_LABEL.get(as_text(concept.get("text"))), concept_of(concept)
    if kind is not None:
        return Outcome(kind, Concept(read.system, read.code, read.display))
    return Outcome(_KINDS.get(read.system.rsplit("/", 1)[-1], OutcomeKind.OTHER), read)


def _condition(condition: Resource) -> Condition:
    return Condition(concept_of(condition.get("code")), date_of(condition.get("onsetDateTime")))


def _is_complaint(condition: Resource) -> bool:
    return any(each.get("code") == _COMPLAINT for each in codings(list(dicts(condition.get("category")))))
