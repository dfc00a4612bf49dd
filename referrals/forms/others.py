"""Short steps: services not taken, expectations, procedures, call log, consent."""

from typing import Any

from bars_portal.exchange.fhir.codes import DosRejectedReason
from bars_portal.nhsuk.forms import Option, RadiosField
from referrals.content import Concept, Consent, Expectations, Part, RejectedService, RequestContent
from referrals.forms.base import PartForm, area, filled, line, select
from referrals.forms.code_lists import PROCEDURES
from referrals.forms.concepts import ConceptField, ConceptForm, more_words, write_concept
from referrals.forms.step import Given, Step


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

    def given(self, content: RequestContent) -> Given:
        names = ("name", "service_id", "reason", "comment")
        rows = (filled({name: getattr(each, name) for name in names}) for each in content.rejected_services)
        return Given(rows=tuple(rows))


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

    def given(self, content: RequestContent) -> Given:
        stated = content.expectations
        return Given(filled({"told": stated.told, "wishes": stated.wishes}))


class ProcedureForm(ConceptForm):
    what = ConceptField(
        "Procedure",
        codes=PROCEDURES,
        hint="Type to search the list, or your own words",
        missing="Enter what is being done",
    )
    words = more_words()

    def stated(self) -> Concept:
        return self.concept()


class ProceduresStep(Step):
    slug, title, section = "procedures", "Procedures", "Ambulance"
    lead = "What is being done for the patient right now."
    parts = (Part.PROCEDURES,)
    row, row_name = ProcedureForm, "procedure"

    def state(self, form: PartForm, rows: tuple[Concept, ...]) -> dict[str, Any]:
        return {"procedures": rows}

    def given(self, content: RequestContent) -> Given:
        return Given(rows=tuple(write_concept(each, PROCEDURES) for each in content.procedures))


class NoteForm(PartForm):
    note = area("Entry of the call log")

    def stated(self) -> str:
        return self.text("note")


class NotesStep(Step):
    slug, title, section = "notes", "Call log", "Ambulance"
    parts = (Part.NOTES,)
    row, row_name = NoteForm, "entry"

    def state(self, form: PartForm, rows: tuple[str, ...]) -> dict[str, Any]:
        return {"notes": rows}

    def given(self, content: RequestContent) -> Given:
        return Given(rows=tuple({"note": each} for each in content.notes))


class ConsentForm(PartForm):
    consent = RadiosField(
        label="On what ground is the patient's information shared?",
        options=[
            Option(Consent.GIVEN.value, "The patient agreed to it"),
            Option(
                Consent.IMPLIED.value,
                "Implied consent for direct care",
                hint="The patient could not be asked, or sharing is part of the care that they expect",
            ),
        ],
        missing="Select on what ground the information is shared",
    )

    def stated(self) -> Consent:
        return Consent(self.text("consent"))


class ConsentStep(Step):
    slug, title, section = "consent", "Consent", "Background"
    form = ConsentForm
    always = True

    def state(self, form: PartForm, rows: tuple[Any, ...]) -> dict[str, Any]:
        return {"consent": form.stated()}

    def given(self, content: RequestContent) -> Given:
        return Given({"consent": content.consent.value})
