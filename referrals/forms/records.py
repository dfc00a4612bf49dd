"""What is on record so far: ambulance questions, procedures, call log, services not taken, other records."""

from typing import Any

from bars_portal.exchange.fhir.codes import DosRejectedReason
from bars_portal.nhsuk.forms import RadiosField
from referrals.cases.codes import PROCEDURES
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
from referrals.parts.applications import Part
from referrals.parts.content import RequestContent
from referrals.parts.problems import Note, Procedure
from referrals.parts.questionnaires import (
    OWN_NOTE,
    NatureOfCall,
    PreTriage,
    RejectedService,
    Source,
    SpecialNote,
    YesNo,
)

_YES_NO = [(YesNo.YES.value, "Yes"), (YesNo.NO.value, "No")]


def _question(label: str) -> RadiosField:
    return RadiosField(label=label, options=_YES_NO, required=False, inline=True)


class QuestionsForm(PartForm):
    part_of = {
        "nature": Part.NATURE_OF_CALL,
        "breathing": Part.PRE_TRIAGE,
        "conscious": Part.PRE_TRIAGE,
        "noisy": Part.PRE_TRIAGE,
    }

    nature = select("Nature of call", [(each.value, each.label) for each in NatureOfCall])
    breathing = _question("Is the patient breathing?")
    conscious = _question("Is the patient conscious?")
    noisy = _question("Is the breathing noisy?")

    def clean(self) -> dict[str, Any]:
        others = self.text("conscious") or self.text("noisy")
        if others and not self.text("breathing") and "breathing" not in self.errors:
            self.add_error("breathing", "Select whether the patient is breathing: it is asked first")
        return self.cleaned_data

    def stated(self) -> dict[str, Any]:
        nature, breathing = self.text("nature"), self.text("breathing")
        sieve = (
            PreTriage(YesNo(breathing), self._yes_no("conscious"), self._yes_no("noisy"))
            if breathing
            else None
        )
        return {"nature_of_call": NatureOfCall(nature) if nature else None, "pre_triage": sieve}

    def _yes_no(self, name: str) -> YesNo | None:
        said = self.text(name)
        return YesNo(said) if said else None


class QuestionsStep(Step):
    slug, title, section = "questions", "Ambulance questions", "Ambulance"
    parts = (Part.NATURE_OF_CALL, Part.PRE_TRIAGE)
    form = QuestionsForm

    def state(self, form: PartForm, rows: tuple[Any, ...]) -> dict[str, Any]:
        read: dict[str, Any] = form.stated()
        return read

    def given(self, content: RequestContent) -> StepValues:
        sieve = content.pre_triage
        answers = (
            {name: getattr(sieve, name) for name in ("breathing", "conscious", "noisy")} if sieve else {}
        )
        return StepValues(filled({"nature": content.nature_of_call, **answers}))


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


class RejectedForm(PartForm):
    name = line("Name of the service")
    service_id = line("DoS service ID", width=20, inputmode="numeric")
    reason = select(
        "Why it was not taken",
        [(each.value, each.display) for each in DosRejectedReason],
        missing="Select why the service was not taken",
    )
    comment = area("More about the reason", rows=2)

    def adapt(self) -> None:
        self.fields["reason"].required = True

    def stated(self) -> RejectedService:
        reason = DosRejectedReason(self.text("reason"))
        return RejectedService(reason, self.text("service_id"), self.text("name"), self.text("comment"))


class RejectedStep(Step):
    slug, title, section = "rejected-services", "Services not taken", "Background"
    lead = "Services that were offered to the patient and not taken."
    parts = (Part.REJECTED_SERVICES,)
    row, row_name = RejectedForm, "service"

    def state(self, form: PartForm, rows: tuple[RejectedService, ...]) -> dict[str, Any]:
        return {"rejected_services": rows}

    def given(self, content: RequestContent) -> StepValues:
        names = ("name", "service_id", "reason", "comment")
        rows = (filled({name: getattr(each, name) for name in names}) for each in content.rejected_services)
        return StepValues(rows=tuple(rows))


class SourceForm(PartForm):
    """A special note is told by its title and words; what is not one, by its name alone."""

    title = line("Special patient note", hint="Its title. Leave this empty for another record")
    detail = area("What the note says", hint="In full: the service cannot look it up")
    active_on = times.day("Note counts from")
    review_on = times.day("Note to be reviewed on")
    name = line(
        "Other record that was looked at",
        hint="For example, Summary Care Record. For a note, where it is kept, if not here",
    )
    url = line("Address of the record", inputmode="url")

    def clean(self) -> dict[str, Any]:
        """What is no note has a name; what belongs to a note has a title."""
        of_a_note = any(self.answer(each) for each in ("detail", "active_on", "review_on"))
        if of_a_note and not self.text("title") and "title" not in self.errors:
            self.add_error("title", "Enter the title of the special patient note")
        elif not (self.text("title") or self.text("name") or self.errors):
            self.add_error("name", "Enter the name of the record, or the title of a special patient note")
        return self.cleaned_data

    def stated(self) -> Source:
        title, name = self.text("title"), self.text("name")
        note = None
        if title:
            note = SpecialNote(title, self.text("detail"), self.answer("active_on"), self.answer("review_on"))
        return Source(name or OWN_NOTE, self.text("url"), note)


class SourcesStep(Step):
    slug, title, section = "sources", "Special notes and other records", "Background"
    lead = (
        "Special patient notes that only you hold, and other records in which somebody looked. The service "
        "sees them with the request."
    )
    parts = (Part.SOURCES,)
    row, row_name = SourceForm, "note or record"

    def state(self, form: PartForm, rows: tuple[Source, ...]) -> dict[str, Any]:
        return {"sources": rows}

    def given(self, content: RequestContent) -> StepValues:
        return StepValues(rows=tuple(map(_source, content.sources)))


def _source(source: Source) -> Typed:
    note = source.note
    if note is None:
        return filled({"name": source.name, "url": source.url})
    name = "" if source.name == OWN_NOTE else source.name
    told = filled({"title": note.title, "detail": note.detail, "name": name, "url": source.url})
    days = times.write_day("active_on", note.active_on) | times.write_day("review_on", note.review_on)
    return told | days
