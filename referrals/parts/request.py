"""A whole request: its resources from what was stated, what of a received one goes onward, its facts.

Facts are what a case's columns say, read from its message: an index for worklists, never the record.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid5

from bars_portal.correspondence.entries import Entry, Parties
from bars_portal.exchange.fhir import profiles
from bars_portal.exchange.fhir.bundle import MessageBundle, Resource
from bars_portal.exchange.fhir.codes import (
    EncounterStatus,
    FlagCategory,
    LocationType,
    MessageCategory,
    ServiceRequestStatus,
    UseCase,
)
from bars_portal.exchange.fhir.json import as_dict, dicts, id_in
from bars_portal.exchange.fhir.rules.case import requester_encounter
from bars_portal.exchange.fhir.timestamps import format_instant
from bars_portal.patients.details import PatientDetails
from referrals.cases.wire import EMERGENCY, code_and_name, identifier_of, instant, patient_of, uuid_or_none
from referrals.parts.applications import Need, Part, application_of, needs_of
from referrals.parts.assessment import (
    carried_assessment,
    carried_expectations,
    plan_entry,
    priority_of,
    status_history,
)
from referrals.parts.base import Frame, filled, period
from referrals.parts.content import RequestContent
from referrals.parts.flags import (
    carried_flags,
    flag_categories,
    flag_entries,
    has_safeguarding,
    rejected_flag,
    scene_is_unsafe,
)
from referrals.parts.medication import (
    allergy_entries,
    carried_allergies,
    carried_medications,
    medication_entries,
)
from referrals.parts.observations import carried_observations, observation_entries
from referrals.parts.people import Requester, consent_entry, people_entries
from referrals.parts.places import (
    Place,
    carried_places,
    confirmation,
    incident_parts,
    place_entries,
    place_part,
)
from referrals.parts.problems import carried_condition, carried_notes, carried_procedures, problem_entries
from referrals.parts.questionnaires import carried_sources, definition_entries, questionnaire_entries

_PROFILES = {
    MessageCategory.REFERRAL: profiles.SERVICEREQUEST_REFERRAL,
    MessageCategory.VALIDATION: profiles.SERVICEREQUEST_VALIDATION,
}


def request_resource(
    frame: Frame, content: RequestContent, *, authored_on: str, supporting: Sequence[tuple[str, str]]
) -> Resource:
    """`supporting`: fullUrl and words of what explains the choice of the service."""
    bookings = [{"reference": f"Appointment/{each}", "display": "Booking"} for each in content.booking_ids]
    return filled(
        {
            **frame.head("ServiceRequest", _PROFILES[content.category]),
            "basedOn": [frame.ref("plan")],
            "status": ServiceRequestStatus.ACTIVE.value,
            "intent": "plan",
            "category": [
                filled(
                    {
                        "coding": [content.category.coding, content.use_case.coding],
                        "text": content.help_asked,
                    }
                )
            ],
            "subject": frame.ref("patient"),
            "encounter": frame.ref("encounter"),
            "occurrencePeriod": period(content.time_frame),
            "authoredOn": authored_on,
            "requester": frame.ref("practitioner"),
            "performer": [frame.ref("service")],
            "locationReference": [frame.ref(part) for part in incident_parts(content.places)],
            "supportingInfo": [
                *({"reference": url, "display": words} for url, words in supporting),
                *bookings,
            ],
            "patientInstruction": content.expectations.told,
        }
    )


CASE_NUMBER_SYSTEM = "https://bars-portal.local/Id/case-number"


def encounter_entry(frame: Frame, content: RequestContent) -> Entry:
    assessment, is_ambulance = content.assessment, application_of(content.use_case).is_ambulance
    began = content.call.contact_at or assessment.started_at or frame.now
    number = assessment.case_number or str(frame.case_id)
    application = application_of(content.use_case)
    # In Applications 3, 4 and 6 it is given where the case began, and echoed; elsewhere it is the receiver's.
    begins_here = application.starts_now or application.is_ambulance
    encounter = {
        **frame.head("Encounter"),
        "id": str(uuid5(frame.case_id, "encounter-here")) if begins_here else "",
        "identifier": [{"system": CASE_NUMBER_SYSTEM, "value": number}],
        "status": encounter_status(content).value,
        "statusHistory": status_history(content.call) if is_ambulance else [],
        "class": EMERGENCY,
        "subject": frame.ref("patient"),
        "episodeOfCare": [{"reference": f"EpisodeOfCare/{frame.journey_id}"}],
        "period": {"start": format_instant(began)},
        "location": _locations(frame, content) if is_ambulance else [],
    }
    return frame.url("encounter"), filled(encounter)


def encounter_status(content: RequestContent) -> EncounterStatus:
    """Ambulance control says it; a validation is triaged; every other assessment is finished."""
    if content.stage is not None:
        return EncounterStatus(content.stage.value)
    validates = content.category is MessageCategory.VALIDATION
    return EncounterStatus.TRIAGED if validates else EncounterStatus.FINISHED


def _locations(frame: Frame, content: RequestContent) -> list[Resource]:
    """Between ambulance controls: where it is, and since when that is confirmed (T2), if it is."""
    return [
        filled({"location": frame.ref(place_part(number)), **confirmation(place)})
        for number, place in enumerate(content.places)
        if place.type is LocationType.INCIDENT
    ]


def request_entries(
    frame: Frame,
    content: RequestContent,
    *,
    patient: PatientDetails,
    requester: Requester,
    parties: Parties,
    authored_on: str = "",
) -> tuple[Resource, list[Entry]]:
    """The ServiceRequest, and every other entry but the header. `authored_on` of an update: the first's."""
    flags = flag_entries(
        frame,
        content.flags,
        places=content.places,
        began=content.assessment.started_at or frame.now,
    )
    # What explains the choice of the service belongs to the request, all else to the assessment.
    choice = [rejected_flag(frame, content.rejected_services[0].reason)] if content.rejected_services else []
    observations = observation_entries(frame, content.observations, wishes=content.expectations.wishes)
    questionnaires = questionnaire_entries(
        frame,
        nature=content.nature_of_call,
        sieve=content.pre_triage,
        rejected=content.rejected_services,
        sources=content.sources,
    )
    request = request_resource(
        frame, content, authored_on=authored_on or frame.stamp, supporting=_named([*questionnaires, *choice])
    )
    people = people_entries(
        frame,
        patient=patient,
        requester=requester,
        parties=parties,
        sends_untraced=application_of(content.use_case).sends_untraced,
    )
    return request, [
        encounter_entry(frame, content),
        plan_entry(
            frame,
            content.assessment,
            is_open=application_of(content.use_case).plan_is_open,
            is_clinical=requester.is_clinical,
            because="condition" if content.condition else "",
            to_do="task" if content.task else "",
            supporting=[*_named(flags), *_named(observations)],
        ),
        *people,
        *place_entries(frame, content.places),
        *flags,
        *choice,
        *observations,
        *medication_entries(frame, content.medications),
        *allergy_entries(frame, content.allergies),
        *problem_entries(
            frame,
            condition=content.condition,
            task=content.task,
            orders=application_of(content.use_case).is_ordered,
            procedures=content.procedures,
            notes=content.notes,
        ),
        *definition_entries(frame, nature=content.nature_of_call, sieve=content.pre_triage),
        *questionnaires,
        consent_entry(frame),
    ]


def _named(entries: list[Entry]) -> list[tuple[str, str]]:
    return [(url, _words(resource)) for url, resource in entries]


def _words(resource: Resource) -> str:
    """What a reader of the reference alone is told: the kind of thing, not what it says."""
    if resource["resourceType"] == "Flag":
        return f"{resource['category'][0]['coding'][0]['display']} Flag"
    if resource["resourceType"] == "QuestionnaireResponse":
        return str(resource["extension"][0]["valueCodeableConcept"]["text"])
    return str(resource["code"].get("text") or "Observation")


def carried_content(bundle: MessageBundle, use_case: UseCase) -> RequestContent:
    """What of a received request goes onward, as far as the use case has a place for it.

    What cannot be read is left out, never an error. What belongs to the first request alone is not carried:
    clock and time frame, case number, task, services that were rejected, questionnaires of ambulance
    controls, consent and bookings.
    """
    needs = needs_of(use_case)

    def has(part: Part) -> bool:
        return needs[part] is not Need.ABSENT

    request = bundle.focus or {}
    warnings = carried_flags(bundle)
    scene = FlagCategory.SCENE_SAFETY
    return RequestContent(
        use_case=use_case,
        assessment=carried_assessment(bundle, has(Part.PRIORITY)),
        flags=tuple(each for each in warnings if each.category is not scene or has(Part.SCENE_SAFETY)),
        medications=carried_medications(bundle),
        allergies=carried_allergies(bundle),
        observations=carried_observations(bundle, patient_of(bundle, request) or {}),
        sources=carried_sources(bundle) if has(Part.SOURCES) else (),
        expectations=carried_expectations(bundle, request),
        places=_fitting(carried_places(bundle), has),
        condition=carried_condition(bundle) if has(Part.CONDITION) else None,
        procedures=carried_procedures(bundle) if has(Part.PROCEDURES) else (),
        notes=carried_notes(bundle) if has(Part.NOTES) else (),
    )


def _fitting(found: tuple[Place, ...], has: Callable[[Part], bool]) -> tuple[Place, ...]:
    """One incident at the most, and others where the use case has them."""
    incidents = [each for each in found if each.type is LocationType.INCIDENT][:1]
    others = [each for each in found if each.type is not LocationType.INCIDENT]
    return (*(incidents if has(Part.INCIDENT) else ()), *(others if has(Part.OTHER_PLACES) else ()))


@dataclass(frozen=True)
class Facts:
    """What the columns of a case say. All instants are aware."""

    use_case: str
    priority: str
    occurrence_start: datetime | None
    breach_at: datetime | None
    authored_on: datetime | None
    case_number: str
    requester_ods_code: str
    requester_name: str
    flags: tuple[str, ...]
    safeguarding: bool
    scene_unsafe: bool
    booking_ids: tuple[UUID, ...]


def facts_of(bundle: MessageBundle, request: Resource, *, use_case: str, sender: Resource) -> Facts:
    """`bundle` finds the entries by type and fullUrl: it need not be a whole message."""
    asked_for = as_dict(request.get("occurrencePeriod"))
    ods_code, name = code_and_name(sender)
    return Facts(
        use_case=use_case,
        priority=priority_of(bundle, request),
        occurrence_start=instant(asked_for.get("start")),
        breach_at=instant(asked_for.get("end")),
        authored_on=instant(request.get("authoredOn")),
        case_number=identifier_of(requester_encounter_of(bundle)),
        requester_ods_code=ods_code,
        requester_name=name,
        flags=flag_categories(bundle),
        safeguarding=has_safeguarding(bundle),
        scene_unsafe=scene_is_unsafe(bundle),
        booking_ids=_booking_ids(request),
    )


def requester_encounter_of(bundle: MessageBundle) -> Resource | None:
    named = requester_encounter(bundle)
    return named if named is not None else next(iter(bundle.of_type("Encounter")), None)


def _booking_ids(request: Resource) -> tuple[UUID, ...]:
    """supportingInfo "Appointment/<uuid>": the booking that was made first (standard section 9)."""
    named = (id_in(each, "Appointment") for each in dicts(request.get("supportingInfo")))
    ids = (uuid_or_none(each) for each in named)
    return tuple(dict.fromkeys(each for each in ids if each is not None))


def columns(facts: Facts) -> dict[str, Any]:
    """Columns of a case that a message decides."""
    return {**vars(facts), "flags": list(facts.flags), "booking_ids": list(facts.booking_ids)}
