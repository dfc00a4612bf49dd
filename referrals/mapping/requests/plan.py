"""The assessment as a CarePlan: outcome codes, narrative and priority (standard section 9, workflow 2)."""

from collections.abc import Sequence

from bars_portal.exchange.fhir.codes import CAD_USE_CASES, CarePlanStatus, MessageCategory
from bars_portal.exchange.fhir.timestamps import format_instant
from referrals.content import Assessment, Outcome, RequestContent
from referrals.mapping.requests.frame import Entry, Frame, Resource, concept_to_fhir, filled

Supporting = Sequence[tuple[str, str]]


def plan_entry(frame: Frame, content: RequestContent, *, supporting: Supporting) -> Entry:
    """`supporting`: fullUrl and words of the flags and observations that belong to the assessment."""
    began = content.assessment.started_at or frame.now
    plan = {
        **frame.head("CarePlan"),
        "status": plan_status(content).value,
        "intent": "plan",
        "subject": frame.ref("patient"),
        "encounter": frame.ref("encounter"),
        "period": {"start": format_instant(began)},
        "author": frame.ref("practitioner"),
        "addresses": [frame.ref("condition")] if content.condition else [],
        "supportingInfo": [{"reference": url, "display": words} for url, words in supporting],
        "activity": _activity(frame, content),
    }
    return frame.url("plan"), filled(plan)


def plan_status(content: RequestContent) -> CarePlanStatus:
    """Still open where somebody else must look at it (Applications 4 and 6); else the assessment is done."""
    is_open = content.category is MessageCategory.VALIDATION or content.use_case in CAD_USE_CASES
    return CarePlanStatus.ACTIVE if is_open else CarePlanStatus.COMPLETED


def _activity(frame: Frame, content: RequestContent) -> list[Resource]:
    activity = filled(
        {
            "outcomeCodeableConcept": _outcomes(content.assessment),
            "reference": frame.ref("task") if content.task else {},
        }
    )
    return [activity] if activity else []


def _outcomes(assessment: Assessment) -> list[Resource]:
    coded = [_outcome(each) for each in assessment.outcomes]
    priority = [{"coding": [assessment.priority.coding]}] if assessment.priority else []
    narrative = [{"text": assessment.narrative}] if assessment.narrative else []
    return [*coded, *priority, *narrative]


def _outcome(outcome: Outcome) -> Resource:
    """What kind of code it is stands in its words, unless it has words of its own."""
    return {"text": outcome.kind.label, **concept_to_fhir(outcome.concept)}
