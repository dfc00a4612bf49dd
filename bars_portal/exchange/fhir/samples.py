"""What a worker judges at its start, so that the model library builds the models of every BaRS message then.

Built when they are first met, they would cost a partner up to 0.3 s, and a worker would grow for hours.
"""

from collections.abc import Iterator
from typing import Any

from bars_portal.exchange.fhir.xml.table import Kind, facts_of

# What the messages of the standard carry (sections 3 and 6), and the published examples beyond it.
RESOURCE_TYPES = (
    *("MessageHeader", "Appointment", "ServiceRequest", "Task", "Communication"),
    *("Patient", "Practitioner", "PractitionerRole", "Organization", "HealthcareService", "Location"),
    *("Slot", "Schedule", "Encounter", "CarePlan", "Consent", "Flag"),
    *("AllergyIntolerance", "Condition", "MedicationStatement", "Observation", "Procedure"),
    *("Questionnaire", "QuestionnaireResponse"),
)


def sample_messages() -> Iterator[dict[str, Any]]:
    """One Bundle for each resource type, with each kind of element in it once, all of them empty."""
    met: set[str] = set()
    for name in RESOURCE_TYPES:
        resource = {"resourceType": name, **_sample(name, met)}
        yield {"resourceType": "Bundle", "type": "message", "entry": [{"resource": resource}]}


def _sample(type_name: str, met: set[str]) -> dict[str, Any]:
    """Elements that have elements; those of a type that was met before stay empty, so that it ends."""
    if type_name in met:
        return {}
    met.add(type_name)
    return {
        each.name: [_sample(each.type_name, met)] if each.many else _sample(each.type_name, met)
        for each in facts_of(type_name).by_name.values()
        if each.kind is Kind.COMPLEX
    }
