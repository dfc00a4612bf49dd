"""The sender's Encounter: its case number, its journey, and how far it is (UKCore-Encounter)."""

from bars_portal.exchange.fhir.codes import CAD_USE_CASES, EncounterStatus, LocationType, MessageCategory
from bars_portal.exchange.fhir.timestamps import format_instant
from referrals.content import RequestContent
from referrals.mapping.requests.frame import Entry, Frame, filled
from referrals.mapping.requests.places import place_part

CASE_NUMBER_SYSTEM = "https://bars-portal.local/Id/case-number"
_EMERGENCY = {
    "system": "http://terminology.hl7.org/CodeSystem/v3-ActCode",
    "code": "EMER",
    "display": "emergency",
}


def encounter_entry(frame: Frame, content: RequestContent) -> Entry:
    began = format_instant(content.assessment.started_at or frame.now)
    number = content.assessment.case_number or str(frame.case_id)
    encounter = {
        **frame.head("Encounter"),
        "identifier": [{"system": CASE_NUMBER_SYSTEM, "value": number}],
        "status": encounter_status(content).value,
        "class": _EMERGENCY,
        "subject": frame.ref("patient"),
        "episodeOfCare": [{"reference": f"EpisodeOfCare/{frame.journey_id}"}],
        "period": {"start": began},
        "location": _locations(frame, content, began),
    }
    return frame.url("encounter"), filled(encounter)


def encounter_status(content: RequestContent) -> EncounterStatus:
    """Ambulance control says it; a validation is triaged; every other assessment is finished."""
    if content.stage is not None:
        return EncounterStatus(content.stage.value)
    validates = content.category is MessageCategory.VALIDATION
    return EncounterStatus.TRIAGED if validates else EncounterStatus.FINISHED


def _locations(frame: Frame, content: RequestContent, began: str) -> list[dict[str, object]]:
    """Between ambulance controls the Encounter says where it is, too."""
    incidents = [n for n, place in enumerate(content.places) if place.type is LocationType.INCIDENT]
    if content.use_case not in CAD_USE_CASES:
        return []
    return [
        {"location": frame.ref(place_part(n)), "status": "active", "period": {"start": began}}
        for n in incidents
    ]
