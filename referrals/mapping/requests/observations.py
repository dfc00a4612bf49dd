"""Observations: what was seen, the household, an estimated age, and what the patient hopes for."""

from bars_portal.exchange.fhir.bundle import Resource
from bars_portal.exchange.fhir.json import parse_decimal
from referrals.content import EstimatedAge, RequestContent
from referrals.mapping.requests.frame import Entry, Frame, concept_to_fhir, filled

_UCUM = "http://unitsofmeasure.org"
WISHES = "Expectations and wishes"
ESTIMATED_AGE = "Estimated age of the patient"


def observation_entries(frame: Frame, content: RequestContent) -> list[Entry]:
    stated, entries = content.observations, []
    for number, each in enumerate(stated.listed):
        value = {"valueString": each.value}
        entries.append((f"observation {number}", _seen(frame, concept_to_fhir(each.concept), value)))
    if stated.household is not None:
        entries.append(("household", _seen(frame, {"coding": [stated.household.coding]}, {})))
    if stated.estimated_age is not None:
        entries.append(("age", _seen(frame, {"text": ESTIMATED_AGE}, _age(stated.estimated_age))))
    if content.expectations.wishes:
        value = {"valueString": content.expectations.wishes}
        entries.append(("wishes", _seen(frame, {"text": WISHES}, value)))
    return [(frame.url(part), observation) for part, observation in entries]


def _seen(frame: Frame, code: Resource, value: Resource) -> Resource:
    return filled(
        {
            **frame.head("Observation"),
            "status": "final",
            "code": code,
            "subject": frame.ref("patient"),
            "encounter": frame.ref("encounter"),
            "effectiveDateTime": frame.stamp,
            "performer": [frame.ref("practitioner")],
            **value,
        }
    )


def _age(age: EstimatedAge) -> Resource:
    number = parse_decimal(format(age.number, "f"))
    unit = {"unit": age.unit.label, "system": _UCUM, "code": age.unit.value}
    return {"valueQuantity": {"value": number, **unit}}
