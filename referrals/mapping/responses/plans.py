"""The responder's CarePlan (standard section 9, workflow 4)."""

from datetime import datetime

from bars_portal.correspondence.entries import Entry
from bars_portal.exchange.fhir.bundle import Resource
from bars_portal.exchange.fhir.codes import CarePlanStatus
from bars_portal.exchange.fhir.profiles import uk_core
from bars_portal.exchange.fhir.timestamps import format_instant
from referrals.content_answers import Outcome, TriageCode
from referrals.mapping.responses.held import HeldRequest


def plan_entry(
    held: HeldRequest, said: Outcome, *, encounter_url: str, author_url: str, now: datetime
) -> Entry:
    """In the place of the requester's plan: active when something is still to be done, else completed."""
    known = next(iter(held.of_types({"CarePlan"})), None)
    url = known[0] if known else held.part_url("plan")
    status = CarePlanStatus.ACTIVE if said.action_needed else CarePlanStatus.COMPLETED
    plan: Resource = {
        "resourceType": "CarePlan",
        "meta": {"lastUpdated": format_instant(now), "profile": [uk_core("CarePlan")]},
        "status": status.value,
        "intent": "plan",
        "subject": {"reference": held.patient[0]},
        "encounter": {"reference": encounter_url},
        "period": {"start": format_instant(said.clock_start)},
        "author": {"reference": author_url},
        "activity": [{"outcomeCodeableConcept": _outcomes(said)}],
    }
    return url, {**plan, "id": known[1]["id"]} if known and known[1].get("id") else plan


def _outcomes(said: Outcome) -> list[Resource]:
    """The category, triage codes, what it leads to, and the person's own words."""
    concepts: list[Resource] = [{"coding": [said.priority.coding]}] if said.priority is not None else []
    concepts += [{"coding": [_coding(each)]} for each in said.codes]
    return [*concepts, {"text": said.disposition.label}, {"text": said.narrative}]


def _coding(code: TriageCode) -> dict[str, str]:
    coding = {"system": code.system, "code": code.code}
    return {**coding, "display": code.display} if code.display else coding
