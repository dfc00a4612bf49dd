"""Whether what was stated is what the use case asks for."""

from bars_portal.exchange.fhir.codes import FlagCategory, LocationType
from referrals.content.medication import Stated
from referrals.content.parts import Need, Part, needs_of
from referrals.content.request import RequestContent
from referrals.content.stored import ContentInvalid


def check_parts(content: RequestContent) -> None:
    """Raises ContentInvalid naming the parts that are missing, or have no place in this use case."""
    stated, needs = _stated(content), needs_of(content.use_case)
    missing = [part for part, need in needs.items() if need is Need.REQUIRED and part not in stated]
    too_much = [part for part in sorted(stated) if needs[part] is Need.ABSENT]
    incidents = [place for place in content.places if place.type is LocationType.INCIDENT]
    if len(incidents) > 1:
        too_much.append(Part.INCIDENT)
    if Part.SCENE_SAFETY in stated and not content.places and Part.SCENE_SAFETY not in too_much:
        missing.append(Part.INCIDENT)
    if missing or too_much:
        raise ContentInvalid(tuple(dict.fromkeys(part.value for part in (*missing, *too_much))))


def _stated(content: RequestContent) -> frozenset[Part]:
    frame = content.time_frame
    scene = [flag for flag in content.flags if flag.category is FlagCategory.SCENE_SAFETY]
    found = {
        Part.ASSESSMENT: content.assessment.is_stated,
        Part.NARRATIVE: content.assessment.narrative,
        Part.PRIORITY: content.assessment.priority,
        Part.STAGE: content.stage,
        Part.TIME_FRAME: frame,
        Part.BREACH_TIME: frame and frame.end,
        Part.FLAGS: len(content.flags) > len(scene),
        Part.SCENE_SAFETY: scene,
        Part.MEDICATION: content.medications.stated is not Stated.NOT_STATED,
        Part.ALLERGIES: content.allergies.stated is not Stated.NOT_STATED,
        Part.OBSERVATIONS: content.observations.is_stated,
        Part.REJECTED_SERVICES: content.rejected_services,
        Part.EXPECTATIONS: content.expectations.is_stated,
        Part.INCIDENT: [each for each in content.places if each.type is LocationType.INCIDENT],
        Part.OTHER_PLACES: [each for each in content.places if each.type is not LocationType.INCIDENT],
        Part.CONDITION: content.condition,
        Part.TASK: content.task,
        Part.NATURE_OF_CALL: content.nature_of_call,
        Part.PRE_TRIAGE: content.pre_triage,
        Part.PROCEDURES: content.procedures,
        Part.NOTES: content.notes,
        Part.BOOKING: content.booking_ids,
    }
    return frozenset(part for part, value in found.items() if value)
