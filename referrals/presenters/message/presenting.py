"""From a message to its page: each resource by its own presenter, and the rest as other information."""

from collections.abc import Mapping
from datetime import datetime
from functools import partial

from bars_portal.exchange.fhir.bundle import MessageBundle
from bars_portal.exchange.fhir.reading import as_dict, as_list
from referrals.presenters.message.allergies import present_allergy
from referrals.presenters.message.appointments import present_appointment, present_schedule, present_slot
from referrals.presenters.message.conditions import (
    present_communication,
    present_condition,
    present_procedure,
)
from referrals.presenters.message.consent import present_consent
from referrals.presenters.message.encounters import present_encounter
from referrals.presenters.message.flags import present_flag
from referrals.presenters.message.groups import grouped
from referrals.presenters.message.header import present_bundle, present_header
from referrals.presenters.message.ids import without_ids
from referrals.presenters.message.medication import present_medication
from referrals.presenters.message.message import Message, Placed, Presenter
from referrals.presenters.message.model import Alert, MessageView
from referrals.presenters.message.names import name_in
from referrals.presenters.message.observations import present_observation
from referrals.presenters.message.organisations import present_organisation, present_service
from referrals.presenters.message.other import other_items
from referrals.presenters.message.people import (
    present_patient,
    present_practitioner,
    present_related,
    present_role,
)
from referrals.presenters.message.places import present_place
from referrals.presenters.message.plan import present_plan
from referrals.presenters.message.published import present_questionnaire
from referrals.presenters.message.questionnaires import present_answers
from referrals.presenters.message.reader import Notes, Part
from referrals.presenters.message.request import present_request, present_task
from referrals.presenters.message.top import top_facts

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


def present_message(bundle: MessageBundle, now: datetime) -> MessageView:
    """Everything that the message holds, in words; what has no place of its own comes last.

    No GUID is in the words, only among the codes of an item. Raises nothing for odd shapes: what a presenter
    cannot read is listed as it was sent.
    """
    message = Message.of(bundle)
    notes = Notes(set(), partial(name_in, bundle))
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
    return without_ids(MessageView(top_facts(bundle, now), tuple(warnings), groups))


def _resources(bundle: MessageBundle, notes: Notes) -> list[Part]:
    """Each with codes of its own; what was read is noted for all."""
    order = {kind: place for place, kind in enumerate(PRESENTERS)}
    found = [
        Part(resource, ("entry", number, "resource"), notes.fresh())
        for number, entry in enumerate(as_list(bundle.raw.get("entry")))
        if (resource := as_dict(as_dict(entry).get("resource")))
    ]
    return sorted(found, key=lambda each: order.get(each.peek("resourceType"), len(order)))
