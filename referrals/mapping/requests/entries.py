"""All entries of a request, from what was stated; the header is the message's own."""

from bars_portal.correspondence.entries import Parties
from bars_portal.exchange.fhir.bundle import Resource
from bars_portal.patients.details import PatientDetails
from referrals.content import RequestContent
from referrals.mapping.requests.consent import consent_entry
from referrals.mapping.requests.encounter import encounter_entry
from referrals.mapping.requests.flags import flag_entries
from referrals.mapping.requests.frame import Entry, Frame
from referrals.mapping.requests.medication import allergy_entries, medication_entries
from referrals.mapping.requests.observations import observation_entries
from referrals.mapping.requests.people import Requester, people_entries
from referrals.mapping.requests.places import place_entries
from referrals.mapping.requests.plan import plan_entry
from referrals.mapping.requests.problems import problem_entries
from referrals.mapping.requests.questionnaires import questionnaire_entries
from referrals.mapping.requests.request import request_resource


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
    flags, observations = flag_entries(frame, content), observation_entries(frame, content)
    answers = questionnaire_entries(frame, content)
    request = request_resource(
        frame, content, authored_on=authored_on or frame.stamp, supporting=_named(answers)
    )
    people = people_entries(
        frame,
        patient=patient,
        birth_sex=content.observations.birth_sex,
        requester=requester,
        parties=parties,
    )
    return request, [
        encounter_entry(frame, content),
        plan_entry(frame, content, supporting=[*_named(flags), *_named(observations)]),
        *people,
        *place_entries(frame, content),
        *flags,
        *observations,
        *medication_entries(frame, content.medications),
        *allergy_entries(frame, content.allergies),
        *problem_entries(frame, content),
        *answers,
        consent_entry(frame, content.consent),
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
