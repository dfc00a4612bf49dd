"""All parts that go onward together.

Not carried: what belongs to the first request alone. That is its clock and time frame, its case number, its
task, the services that were rejected, the questionnaires of ambulance controls, consent and bookings.
"""

from collections.abc import Callable

from bars_portal.exchange.fhir.bundle import MessageBundle
from bars_portal.exchange.fhir.codes import FlagCategory, LocationType, UseCase
from referrals.content import Need, Part, Place, RequestContent, needs_of
from referrals.mapping.carried import assessment, clinical, places
from referrals.mapping.reading import patient_of


def carried_content(bundle: MessageBundle, use_case: UseCase) -> RequestContent:
    """As far as the use case has a place for it; what cannot be read is left out, never an error."""
    needs = needs_of(use_case)

    def has(part: Part) -> bool:
        return needs[part] is not Need.ABSENT

    request = bundle.focus or {}
    flags = clinical.carried_flags(bundle)
    scene = FlagCategory.SCENE_SAFETY
    return RequestContent(
        use_case=use_case,
        assessment=assessment.carried_assessment(bundle, has(Part.PRIORITY)),
        flags=tuple(each for each in flags if each.category is not scene or has(Part.SCENE_SAFETY)),
        medications=clinical.carried_medications(bundle),
        allergies=clinical.carried_allergies(bundle),
        observations=clinical.carried_observations(bundle, patient_of(bundle, request) or {}),
        expectations=assessment.carried_expectations(bundle, request),
        places=_fitting(places.carried_places(bundle), has),
        condition=assessment.carried_condition(bundle) if has(Part.CONDITION) else None,
        procedures=clinical.carried_procedures(bundle) if has(Part.PROCEDURES) else (),
        notes=clinical.carried_notes(bundle) if has(Part.NOTES) else (),
    )


def _fitting(found: tuple[Place, ...], has: Callable[[Part], bool]) -> tuple[Place, ...]:
    """One incident at the most, and others where the use case has them."""
    incidents = [each for each in found if each.type is LocationType.INCIDENT][:1]
    others = [each for each in found if each.type is not LocationType.INCIDENT]
    return (*(incidents if has(Part.INCIDENT) else ()), *(others if has(Part.OTHER_PLACES) else ()))
