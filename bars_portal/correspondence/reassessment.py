"""Whether a patient who calls back was assessed again, before they are rebooked or referred again.

The guide asks for it in Applications 1 and 5; the answer is a line of the history of what is made anew.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from django.core.exceptions import ValidationError

from bars_portal.nhsuk.forms import RadiosField


class Reassessed(StrEnum):
    UNCHANGED = "unchanged"
    CHANGED = "changed"
    NOT_CALLED = "not-called"
    NOT_YET = "not-yet"


_OFFERED: Mapping[Reassessed, str] = {
    Reassessed.NOT_CALLED: "The patient did not call back about their health",
    Reassessed.UNCHANGED: "Yes, and what was found still holds",
    Reassessed.CHANGED: "Yes, and something has changed",
    Reassessed.NOT_YET: "No, they called back and nobody has assessed them again",
}
# As the history tells it.
_RECORDED: Mapping[Reassessed, str] = {
    Reassessed.NOT_CALLED: "The patient did not call back about their health",
    Reassessed.UNCHANGED: "Assessed again: what was found still holds",
    Reassessed.CHANGED: "Assessed again: something has changed",
}
ASSESS_FIRST = "Assess the patient again first: what was found may not hold any more"


def recorded_words(answer: str) -> str:
    """ "" for no answer."""
    return _RECORDED[Reassessed(answer)] if answer else ""


class ReassessedField(RadiosField):
    """Cleans to a Reassessed that lets somebody go on."""

    def __init__(self) -> None:
        super().__init__(
            label="Was the patient assessed again?",
            options=[(each.value, words) for each, words in _OFFERED.items()],
            missing="Select whether the patient was assessed again",
        )

    def clean(self, value: Any) -> str:
        answer = str(super().clean(value))
        if answer == Reassessed.NOT_YET:
            raise ValidationError(ASSESS_FIRST, code="not_yet")
        return answer
