"""The presenting complaint, what is asked, what is being done, and the call log."""

from typing import Any

from bars_portal.nhsuk.dates import in_london
from bars_portal.nhsuk.forms import DateField
from referrals.cases.codes import COMPLAINTS, PROCEDURES, TASKS
from referrals.forms import times
from referrals.forms.base import (
    ConceptField,
    ConceptForm,
    PartForm,
    Step,
    StepValues,
    Typed,
    area,
    filled,
    more_words,
    write_concept,
)
from referrals.forms.times import FrameForm, write_frame
from referrals.parts.applications import Part, application_of
from referrals.parts.base import SNOMED
from referrals.parts.content import RequestContent
from referrals.parts.problems import Condition, Note, Procedure, Task


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

    def given(self, content: RequestContent) -> StepValues:
        if content.condition is None:
            return StepValues()
        onset = times.write_day("onset", content.condition.onset)
        return StepValues(write_concept(content.condition.concept, COMPLAINTS) | onset)


class TaskForm(FrameForm, ConceptForm):
    part_of = {"help_asked": Part.HELP_ASKED}

    help_asked = area("The help you ask for", hint="As the other ambulance service should read it")
    what = ConceptField(
        "What is asked",
        codes=TASKS,
        hint="Type to search the list, or your own words",
        missing="Enter what is asked of the service",
    )
    words = more_words()
    description = area("What to do", hint="As the service should read it")
    start = times.day("Not before")
    start_time = times.hour("Time of day, not before")
    end = times.day("At the latest")
    end_time = times.hour("Time of day, at the latest")

    def clean(self) -> dict[str, Any]:
        super().clean()
        if self.asked.requires(Part.TASK) or self.text("description") or self.answer("frame"):
            self.need_concept()
        ordered = application_of(self.asked.use_case).is_ordered
        if ordered and "what" not in self.errors and self._system() != SNOMED:
            self.add_error("what", "Choose what is asked from the list")
        return self.cleaned_data

    def _system(self) -> str:
        concept = self.read_concept()
        return concept.system if concept else ""

    def stated(self) -> Task | None:
        concept = self.read_concept()
        return Task(concept, self.text("description"), self.frame()) if concept else None


class TaskStep(Step):
    slug, title, section = "task", "What is asked", "Assessment"
    parts = (Part.TASK, Part.HELP_ASKED)
    form = TaskForm

    def state(self, form: PartForm, rows: tuple[Any, ...]) -> dict[str, Any]:
        return {"task": form.stated(), "help_asked": form.text("help_asked")}

    def given(self, content: RequestContent) -> StepValues:
        task, asked = content.task, filled({"help_asked": content.help_asked})
        if task is None:
            return StepValues(asked)
        described = filled({"description": task.description})
        return StepValues(asked | write_concept(task.concept, TASKS) | described | write_frame(task.period))


class ProcedureForm(ConceptForm):
    what = ConceptField(
        "Procedure",
        codes=PROCEDURES,
        hint="Type to search the list, or your own words",
        missing="Enter what is being done",
    )
    words = more_words()
    began = times.clock("When it was begun")

    def clean(self) -> dict[str, Any]:
        self.cleaned_data["began"] = times.read_clock(self, "began")
        if not self.answer("began") and "began" not in self.errors:
            self.add_error("began", "Enter when it was begun, like 14:30")
        return super().clean()

    def stated(self) -> Procedure:
        return Procedure(self.concept(), self.answer("began"))


class ProceduresStep(Step):
    slug, title, section = "procedures", "Procedures", "Ambulance"
    lead = "What is being done for the patient right now."
    parts = (Part.PROCEDURES,)
    row, row_name = ProcedureForm, "procedure"

    def state(self, form: PartForm, rows: tuple[Procedure, ...]) -> dict[str, Any]:
        return {"procedures": rows}

    def given(self, content: RequestContent) -> StepValues:
        return StepValues(rows=tuple(map(_procedure, content.procedures)))


def _procedure(procedure: Procedure) -> Typed:
    began = filled({"began": times.write_clock(procedure.began_at)})
    return write_concept(procedure.concept, PROCEDURES) | began


class NoteForm(PartForm):
    note = area("Entry of the call log")
    made = times.clock("When it was written down", hint="When you began this form, if nothing is given.")

    def clean(self) -> dict[str, Any]:
        self.cleaned_data["made"] = times.read_clock(self, "made")
        if not self.text("note") and "note" not in self.errors:
            self.add_error("note", "Enter what was written down")
        return self.cleaned_data

    def stated(self) -> Note:
        return Note(self.text("note"), self.answer("made") or self.asked.opened.replace(microsecond=0))


class NotesStep(Step):
    slug, title, section = "notes", "Call log", "Ambulance"
    parts = (Part.NOTES,)
    row, row_name = NoteForm, "entry"

    def state(self, form: PartForm, rows: tuple[Note, ...]) -> dict[str, Any]:
        return {"notes": rows}

    def given(self, content: RequestContent) -> StepValues:
        return StepValues(rows=tuple(map(_note, content.notes)))


def _note(note: Note) -> Typed:
    return filled({"note": note.words, "made": times.write_clock(note.made_at)})
