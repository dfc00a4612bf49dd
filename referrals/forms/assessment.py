"""The assessment: stage, narrative, outcomes, priority, clock; complaint, what is asked, expectations."""

from dataclasses import replace
from typing import Any

from bars_portal.exchange.fhir.codes import ARPPriority
from bars_portal.nhsuk.dates import in_london
from bars_portal.nhsuk.forms import DateField, RadiosField, TextareaField
from referrals.cases.codes import COMPLAINTS, TASKS, TRIAGE_OUTCOMES, Concept
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
    line,
    more_words,
    select,
    write_concept,
)
from referrals.forms.times import FrameForm, write_frame
from referrals.parts.applications import Need, Part, application_of, needs_of
from referrals.parts.assessment import (
    Assessment,
    CallTimes,
    Expectations,
    Outcome,
    OutcomeKind,
    Stage,
    kind_of_system,
)
from referrals.parts.base import SNOMED
from referrals.parts.content import RequestContent
from referrals.parts.problems import Condition, Task


class AssessmentForm(PartForm):
    part_of = {
        "stage": Part.STAGE,
        "narrative": Part.NARRATIVE,
        "priority": Part.PRIORITY,
        "connected": Part.CALL_TIMES,
        "answered": Part.CALL_TIMES,
    }

    stage = RadiosField(
        label="How far is the call?",
        options=[(each.value, each.label) for each in Stage],
        missing="Select how far the call is",
    )
    complaint = line("Presenting complaint", hint="The main reason for the call, in a few words")
    narrative = area("Clinical narrative", hint="What was found, in full", rows=8)
    priority = select(
        "Ambulance response priority",
        [(each.value, f"{each.value}: {each.display}") for each in ARPPriority],
    )
    triage_tool = line(
        "Triage tool", hint="The decision support that you used, if it is not the usual one here", width=20
    )
    triage_tool_version = line("Version of the triage tool", width=10)
    case_number = line("Your case number", hint="Your own number of the call, if there is one", width=20)
    began = times.clock("Call reached the network (BTStartTime)")
    connected = times.clock("Call connected (T0)")
    answered = times.clock("Call answered (T1)")
    started = times.clock("When triage began", hint="When you began this form, if nothing is given.")
    disposition = times.clock(
        "When the disposition was reached", hint="When this is sent, if nothing is given."
    )

    def adapt(self) -> None:
        if self.asked.has(Part.CONDITION):
            # It has a step of its own there.
            del self.fields["complaint"]
        if not self.asked.has(Part.STAGE):
            # Told between ambulance controls only (Encounter.statusHistory).
            del self.fields["began"]
        narrative = self.fields["narrative"]
        if application_of(self.asked.use_case).is_ordered and isinstance(narrative, TextareaField):
            narrative.hint = "What was found, in full: questions and answers a line each"
        if self.asked.has(Part.CALL_TIMES):
            self.fields["disposition"].label = "Clock start (T5): when the dispatch code was reached"

    def clean(self) -> dict[str, Any]:
        known = [name for name in _TIMES if name in self.fields]
        for name in known:
            self.cleaned_data[name] = times.read_clock(self, name)
        times.check_order(self, *(name for name in known if name != "started"))
        return self.cleaned_data

    def stated(self) -> Assessment:
        return Assessment(
            narrative=self.text("narrative"),
            outcomes=_complaint(self.text("complaint")),
            priority=ARPPriority.lookup(self.text("priority")),
            started_at=self.answer("started") or self.asked.opened.replace(microsecond=0),
            case_number=self.text("case_number"),
            disposition_at=self.answer("disposition"),
            triage_tool=self.text("triage_tool"),
            triage_tool_version=self.text("triage_tool_version") if self.text("triage_tool") else "",
        )

    def call(self) -> CallTimes:
        return CallTimes(self.answer("began"), self.answer("connected"), self.answer("answered"))


# In the order of a call.
_TIMES = ("began", "connected", "answered", "started", "disposition")


class OutcomeForm(ConceptForm):
    kind = select(
        "Kind of outcome",
        [(each.value, each.label) for each in OutcomeKind],
        hint="Told by the code when it is in the list",
    )
    what = ConceptField(
        "Triage outcome",
        codes=TRIAGE_OUTCOMES,
        hint="Type a code or words to search the list, or your own words",
        missing="Enter the triage outcome",
    )
    words = more_words()

    def stated(self) -> Outcome:
        concept = self.concept()
        kind = self.text("kind") or kind_of_system(concept.system)
        return Outcome(OutcomeKind(kind), concept)


class AssessmentStep(Step):
    slug, title, section = "assessment", "Assessment", "Assessment"
    parts = (Part.ASSESSMENT, Part.OUTCOMES, Part.NARRATIVE, Part.PRIORITY, Part.STAGE, Part.CALL_TIMES)
    form, row, row_name, rows_name = AssessmentForm, OutcomeForm, "triage outcome", "outcomes"

    def state(self, form: PartForm, rows: tuple[Outcome, ...]) -> dict[str, Any]:
        read: Assessment = form.stated()
        assessment = replace(read, outcomes=(*rows, *read.outcomes))
        if form.asked.requires(Part.ASSESSMENT) and not assessment.is_stated:
            form.add_error("narrative", "Enter a narrative, a complaint, a triage outcome or a priority")
        stage = form.text("stage")
        is_triaged = stage in (Stage.TRIAGED, Stage.COMPLETE)
        for name in ("narrative", "priority") if is_triaged else ():
            if not form.text(name):
                form.add_error(name, f"{form.fields[name].label} is needed once the call has ended")
        has_code = any(each.concept.code for each in rows)
        if (is_triaged or form.asked.requires(Part.OUTCOMES)) and not has_code:
            form.add_error(None, "Add a triage outcome with its code, such as the disposition")
        call = form.call() if isinstance(form, AssessmentForm) else CallTimes()
        return {"assessment": assessment, "stage": Stage(stage) if stage else None, "call": call}

    def given(self, content: RequestContent) -> StepValues:
        stated, outcomes = content.assessment, content.assessment.outcomes
        complaint = _as_complaint(outcomes[-1]) if outcomes and _has_complaint(content) else ""
        fields = filled(
            {
                "stage": content.stage,
                "complaint": complaint,
                "narrative": stated.narrative,
                "priority": stated.priority,
                "triage_tool": stated.triage_tool,
                "triage_tool_version": stated.triage_tool_version,
                "case_number": stated.case_number,
                "began": times.write_clock(content.call.began_at),
                "connected": times.write_clock(content.call.connected_at),
                "answered": times.write_clock(content.call.answered_at),
                "started": times.write_clock(stated.started_at),
                "disposition": times.write_clock(stated.disposition_at),
            }
        )
        rows = outcomes[:-1] if complaint else outcomes
        return StepValues(fields, tuple(map(_outcome_row, rows)))


def _has_complaint(content: RequestContent) -> bool:
    return needs_of(content.use_case)[Part.CONDITION] is Need.ABSENT


def _complaint(text: str) -> tuple[Outcome, ...]:
    return (Outcome(OutcomeKind.PRESENTING_COMPLAINT, Concept(text=text)),) if text else ()


def _as_complaint(outcome: Outcome) -> str:
    """ "" when the one line of the form cannot hold it."""
    text = outcome.concept.text
    one_line = len(text) <= 200 and "\n" not in text and not outcome.concept.code
    return text if outcome.kind is OutcomeKind.PRESENTING_COMPLAINT and one_line else ""


def _outcome_row(outcome: Outcome) -> Typed:
    return {"kind": outcome.kind.value, **write_concept(outcome.concept, TRIAGE_OUTCOMES)}


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


class ExpectationsForm(PartForm):
    told = area("What the patient was told", hint="For example, what to do when it gets worse", rows=4)
    wishes = area("What the patient hopes for", rows=4)

    def stated(self) -> Expectations:
        return Expectations(self.text("told"), self.text("wishes"))


class ExpectationsStep(Step):
    slug, title, section = "expectations", "Expectations", "Background"
    parts = (Part.EXPECTATIONS,)
    form = ExpectationsForm

    def state(self, form: PartForm, rows: tuple[Any, ...]) -> dict[str, Any]:
        return {"expectations": form.stated()}

    def given(self, content: RequestContent) -> StepValues:
        stated = content.expectations
        return StepValues(filled({"told": stated.told, "wishes": stated.wishes}))
