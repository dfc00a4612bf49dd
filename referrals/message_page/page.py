"""From a message to its page: each resource by its own presenter, and the rest as other information."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial

from bars_portal.exchange.fhir.bundle import MessageBundle
from bars_portal.exchange.fhir.json import as_dict, as_list
from bars_portal.exchange.fhir.outcomes import OutcomeError
from bars_portal.exchange.message_bytes import decode
from bars_portal.exchange.models import InboundMessage
from referrals.cases.models import Case
from referrals.cases.selectors import telling_message
from referrals.cases.states import OPEN, CaseStatus
from referrals.message_page.clinical import (
    present_allergy,
    present_answers,
    present_communication,
    present_condition,
    present_medication,
    present_observation,
    present_procedure,
    present_questionnaire,
)
from referrals.message_page.items import Message, Placed, Presenter
from referrals.message_page.other import other_items, without_ids
from referrals.message_page.people import (
    present_consent,
    present_organisation,
    present_patient,
    present_place,
    present_practitioner,
    present_related,
    present_role,
    present_service,
)
from referrals.message_page.reader import Alert, Group, Item, MessageView, Notes, Part
from referrals.message_page.top import asks_for_care, present_flag, top_facts
from referrals.message_page.words import name_in
from referrals.message_page.workflow import (
    present_appointment,
    present_bundle,
    present_encounter,
    present_header,
    present_plan,
    present_request,
    present_schedule,
    present_slot,
    present_task,
)

OTHER = "other"
_TITLES = {
    "request": "What is asked",
    "assessment": "Assessment",
    "plan": "Plan",
    "treatment": "Treatment given and notes on the way",
    "appointment": "Appointment",
    "medication": "Medication",
    "allergies": "Allergies",
    "observations": "Observations",
    "questionnaires": "Questionnaires",
    "sources": "Additional sources",
    "rejected": "Rejected services",
    "people": "People and organisations",
    "places": "Places",
    "consent": "Consent",
    "message": "Journey and message",
    OTHER: "Other information received",
}
# In a request that stands it matters that nothing was said of these; none known would have been said.
_MATTERS = {
    "assessment": "Not stated: the sender gave no assessment.",
    "medication": "Not stated: the sender neither listed medication nor said that there is none.",
    "allergies": "Not stated: the sender neither listed allergies nor said that none are known.",
    "observations": "Not stated: the sender gave no observations.",
    "consent": "Not stated: the sender gave no consent.",
}


def grouped(bundle: MessageBundle, placed: Sequence[Placed], others: Sequence[Item]) -> tuple[Group, ...]:
    """Groups that hold something, and those whose silence matters."""
    found: dict[str, list[Item]] = {key: [] for key in _TITLES}
    for key, item in placed:
        found[key].append(item)
    found[OTHER] += others
    named = _MATTERS if asks_for_care(bundle) else {}
    return tuple(
        Group(key, _TITLES[key], tuple(items), named.get(key, "Not stated"))
        for key, items in found.items()
        if items or key in named
    )


# In the order in which a group lists them.
PRESENTERS: Mapping[str, Presenter] = {
    "MessageHeader": present_header,
    "ServiceRequest": present_request,
    "Task": present_task,
    "CarePlan": present_plan,
    "Condition": present_condition,
    "Encounter": present_encounter,
    "Procedure": present_procedure,
    "Communication": present_communication,
    "Appointment": present_appointment,
    "Slot": present_slot,
    "Schedule": present_schedule,
    "MedicationStatement": present_medication,
    "AllergyIntolerance": present_allergy,
    "Observation": present_observation,
    "QuestionnaireResponse": present_answers,
    "Questionnaire": present_questionnaire,
    "Patient": present_patient,
    "RelatedPerson": present_related,
    "Practitioner": present_practitioner,
    "PractitionerRole": present_role,
    "HealthcareService": present_service,
    "Organization": present_organisation,
    "Location": present_place,
    "Consent": present_consent,
}


def present_message(bundle: MessageBundle, now: datetime, *, is_over: bool = False) -> MessageView:
    """Everything that the message holds, in words; what has no place of its own comes last.

    No GUID is in the words, only among the codes of an item. Raises nothing for odd shapes: what a presenter
    cannot read is listed as it was sent.
    """
    message = Message.of(bundle, now)
    notes = Notes(set(), partial(name_in, bundle, now), now)
    placed: list[Placed] = present_bundle(Part(bundle.raw, (), notes.fresh()), message)
    warnings: list[Alert] = []
    for part in _resources(bundle, notes):
        kind = part.value.get("resourceType")
        if kind == "Flag":
            warnings.append(present_flag(part, message))
        elif isinstance(kind, str) and kind in PRESENTERS:
            placed += PRESENTERS[kind](part, message)
    warnings.sort(key=lambda each: (each.order, not each.is_alarm))
    groups = grouped(bundle, placed, other_items(message, notes))
    return without_ids(MessageView(top_facts(bundle, now, is_over=is_over), tuple(warnings), groups))


def _resources(bundle: MessageBundle, notes: Notes) -> list[Part]:
    """Each with codes of its own; what was read is noted for all."""
    order = {kind: place for place, kind in enumerate(PRESENTERS)}
    found = [
        Part(resource, ("entry", number, "resource"), notes.fresh())
        for number, entry in enumerate(as_list(bundle.raw.get("entry")))
        if (resource := as_dict(as_dict(entry).get("resource")))
    ]
    return sorted(found, key=lambda each: order.get(each.peek("resourceType"), len(order)))


def message_of(case: Case, now: datetime) -> MessageView | None:
    """The newest message that tells the whole case, in words."""
    return shown_message(telling_message(case), now, is_over=CaseStatus(case.status) not in OPEN)


def shown_message(
    message: InboundMessage | None, now: datetime, *, is_over: bool = False
) -> MessageView | None:
    """A kept message in words; None when it is not kept, or cannot be read.

    `is_over`: what it asked for is over since, so nothing of it is due.
    """
    if message is None:
        return None
    try:
        return present_message(MessageBundle(decode(message.body)), now, is_over=is_over)
    except OutcomeError:
        return None
