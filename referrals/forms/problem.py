"""The presenting complaint as a Condition, and what is asked as a Task: pharmacy and ambulance."""

from typing import Any

from bars_portal.nhsuk.dates import in_london
from bars_portal.nhsuk.forms import DateField
from referrals.content import Condition, Part, RequestContent, Task
from referrals.forms import moments
from referrals.forms.base import PartForm, area, filled
from referrals.forms.code_lists import COMPLAINTS, TASKS
from referrals.forms.concepts import ConceptField, ConceptForm, more_words, write_concept
from referrals.forms.step import Given, Step
from referrals.forms.times import FrameForm, write_frame


class ConditionForm(ConceptForm):
    what = ConceptField(
        "Presenting complaint",
        codes=COMPLAINTS,
        hint="Type to search the list, or your own words",
        missing="Enter the presenting complaint",
    )
    words = more_words()
    onset = DateField(
        label="When it began",
        hint="Day, month and year, if known",
        required=False,
        too_late="When it began must be today or in the past",
    )

    def adapt(self) -> None:
        onset = self.fields["onset"]
        if isinstance(onset, DateField):
            onset.latest = in_london(self.asked.opened).date()

    def clean(self) -> dict[str, Any]:
        if self.asked.requires(Part.CONDITION) or self.answer("onset"):
            self.need_concept()
        return self.cleaned_data

    def stated(self) -> Condition | None:
        concept = self.read_concept()
        return Condition(concept, self.answer("onset")) if concept else None


class ConditionStep(Step):
    slug, title, section = "complaint", "Presenting complaint", "Assessment"
    parts = (Part.CONDITION,)
    form = ConditionForm

    def state(self, form: PartForm, rows: tuple[Any, ...]) -> dict[str, Any]:
        return {"condition": form.stated()}

    def given(self, content: RequestContent) -> Given:
        if content.condition is None:
            return Given()
        onset = moments.write_day("onset", content.condition.onset)
        return Given(write_concept(content.condition.concept, COMPLAINTS) | onset)


class TaskForm(FrameForm, ConceptForm):
    what = ConceptField(
        "What is asked",
        codes=TASKS,
        hint="Type to search the list, or your own words",
        missing="Enter what is asked of the service",
    )
    words = more_words()
    description = area("What to do", hint="As the service should read it")
    start = moments.day("Not before")
    start_time = moments.hour("Time of day, not before")
    end = moments.day("At the latest")
    end_time = moments.hour("Time of day, at the latest")

    def clean(self) -> dict[str, Any]:
        super().clean()
        if self.asked.requires(Part.TASK) or self.text("description") or self.answer("frame"):
            self.need_concept()
        return self.cleaned_data

    def stated(self) -> Task | None:
        concept = self.read_concept()
        return Task(concept, self.text("description"), self.frame()) if concept else None


class TaskStep(Step):
    slug, title, section = "task", "What is asked", "Assessment"
    parts = (Part.TASK,)
    form = TaskForm

    def state(self, form: PartForm, rows: tuple[Any, ...]) -> dict[str, Any]:
        return {"task": form.stated()}

    def given(self, content: RequestContent) -> Given:
        task = content.task
        if task is None:
            return Given()
        described = filled({"description": task.description})
        return Given(write_concept(task.concept, TASKS) | described | write_frame(task.period))
