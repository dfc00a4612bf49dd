"""Whether the resources around the focus are in the states that the workflow table asks for."""

from __future__ import annotations

from collections.abc import Iterator

from bars_portal.exchange.fhir.bundle import MessageBundle, Resource
from bars_portal.exchange.fhir.outcomes import Issue, OutcomeCode
from bars_portal.exchange.fhir.reading import as_dict, as_text, codings, dicts
from bars_portal.exchange.fhir.rules.conditions import Condition, Part
from bars_portal.exchange.fhir.rules.model import Facts, Rule
from bars_portal.exchange.fhir.rules.parts import (
    request_of,
    requester_encounter,
    responder_encounters,
    use_cases_of,
)


def meets(bundle: MessageBundle, condition: Condition) -> bool:
    """Whether some resource that is meant has the status; what else is asked does not tell rows apart."""
    return any(as_text(each.get("status")) in condition.statuses for each in _meant(bundle, condition))


def _meant(bundle: MessageBundle, condition: Condition) -> list[Resource]:
    """The resources that a condition may be about; an unnamed requester's Encounter may be any."""
    if condition.part is Part.RESPONDER:
        return responder_encounters(bundle)
    if condition.part is Part.REQUESTER and (encounter := requester_encounter(bundle)) is not None:
        return [encounter]
    if condition.resource_type == "ServiceRequest":
        return [request for request in (request_of(bundle),) if request is not None]
    return bundle.of_type(condition.resource_type)


def _states(bundle: MessageBundle, facts: Facts) -> Iterator[Issue]:
    if facts.row is None:
        return
    used = use_cases_of(bundle)
    for condition in facts.row.conditions:
        if not condition.use_cases or not condition.use_cases.isdisjoint(used):
            yield from _judge(bundle, condition)


def _judge(bundle: MessageBundle, condition: Condition) -> Iterator[Issue]:
    meant = _meant(bundle, condition)
    fitting = [each for each in meant if as_text(each.get("status")) in condition.statuses]
    if not meant:
        # The counts ask for most resources anyway, and say so better.
        if condition.required:
            yield _missing(condition)
    elif not fitting:
        yield _wrong_status(bundle, condition, meant[0])
    else:
        yield from _details(bundle, condition, fitting[0])


def _missing(condition: Condition) -> Issue:
    words = f"This message needs {_article(condition)} with status {_wanted(condition)}"
    return Issue(OutcomeCode.INVARIANT, words, (f"Bundle.entry.resource.ofType({condition.resource_type})",))


def _wrong_status(bundle: MessageBundle, condition: Condition, resource: Resource) -> Issue:
    words = (
        "This combination is not a message that is taken here: "
        f"{condition.resource_type}.status is not {_wanted(condition)}"
    )
    return Issue(OutcomeCode.INVARIANT, words, (f"{bundle.path_of(resource)}.status",))


def _details(bundle: MessageBundle, condition: Condition, resource: Resource) -> Iterator[Issue]:
    path, kind = bundle.path_of(resource), condition.resource_type
    if condition.class_code and as_dict(resource.get("class")).get("code") != condition.class_code:
        words = f"{kind}.class is not {condition.class_code}, which this use case asks for"
        yield Issue(OutcomeCode.INVARIANT, words, (f"{path}.class",))
    if condition.needs_reason and not _has_reason(resource):
        words = f"{kind}.reasonCode is missing: a rejection says why"
        yield Issue(OutcomeCode.INVARIANT, words, (f"{path}.reasonCode",))


def _has_reason(encounter: Resource) -> bool:
    reasons = encounter.get("reasonCode")
    coded = any(as_text(each.get("code")) for each in codings(reasons))
    return coded or any(as_text(each.get("text")).strip() for each in dicts(reasons))


def _wanted(condition: Condition) -> str:
    return " or ".join(sorted(str(status) for status in condition.statuses))


def _article(condition: Condition) -> str:
    return f"{'an' if condition.resource_type[0] in 'AEIOU' else 'a'} {condition.resource_type}"


RULES = (
    Rule(
        "workflow-states",
        "6",
        "CarePlan, Encounter, Appointment and ServiceRequest are in the states that the row asks for: a new "
        "referral is assessed (Application 6: still open, and an emergency), a validation is still open, a "
        "rejection says why, who did not attend has an Appointment with status noshow.",
        _states,
    ),
)
