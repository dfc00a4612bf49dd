"""The steps of a request in their order: the use case says which of them there are."""

from collections.abc import Mapping

from referrals.forms.ambulance import QuestionsStep
from referrals.forms.assessment import AssessmentStep
from referrals.forms.base import Asked
from referrals.forms.flags import FlagsStep
from referrals.forms.medication import AllergiesStep, MedicationStep
from referrals.forms.observations import ObservationsStep
from referrals.forms.others import ConsentStep, ExpectationsStep, NotesStep, ProceduresStep, RejectedStep
from referrals.forms.places import PlacesStep
from referrals.forms.problem import ConditionStep, TaskStep
from referrals.forms.step import Step
from referrals.forms.times import TimesStep

STEPS: tuple[Step, ...] = (
    AssessmentStep(),
    ConditionStep(),
    TaskStep(),
    TimesStep(),
    FlagsStep(),
    PlacesStep(),
    QuestionsStep(),
    ProceduresStep(),
    NotesStep(),
    MedicationStep(),
    AllergiesStep(),
    ObservationsStep(),
    RejectedStep(),
    ExpectationsStep(),
    ConsentStep(),
)
BY_SLUG: Mapping[str, Step] = {each.slug: each for each in STEPS}


def steps_of(asked: Asked) -> list[Step]:
    return [each for each in STEPS if each.is_needed(asked)]


def steps_not_needed(asked: Asked) -> list[Step]:
    return [each for each in STEPS if not each.is_needed(asked)]


def step_of_part(part: str) -> str:
    """The slug of the step that asks for a part, as ContentInvalid names it; "" for none."""
    name = part.partition(".")[0]
    return next((each.slug for each in STEPS if name in {one.value for one in each.parts}), "")
