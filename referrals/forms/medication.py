"""Medication and allergies: listed, none known, or not stated. Never the same thing."""

from typing import Any

from bars_portal.nhsuk.forms import Option, RadiosField
from referrals.cases.codes import MEDICINES, SUBSTANCES
from referrals.forms.base import PartForm, Step, StepValues, area, filled
from referrals.forms.concepts import ConceptField, ConceptForm, more_words, write_concept
from referrals.parts.applications import Part
from referrals.parts.content import RequestContent
from referrals.parts.medication import Allergies, Allergy, Medication, Medications, Stated


class StatedForm(PartForm):
    """Says what kind of answer it is; the list says the rest."""

    known = RadiosField(
        label="What is known?",
        options=[
            Option(Stated.LISTED.value, "Some are known: listed below"),
            Option(Stated.NONE_KNOWN.value, "The patient was asked, and none is known"),
            Option(Stated.NOT_STATED.value, "Not stated", hint="Nobody asked, or nobody could tell"),
        ],
        required=False,
    )

    def stated(self) -> str:
        return self.text("known")


def which(form: PartForm, rows: tuple[Any, ...], thing: str) -> Stated:
    """What the answer is; an answer and a list that contradict each other are an error."""
    said = form.stated()
    if not said:
        return Stated.LISTED if rows else Stated.NOT_STATED
    if rows and said != Stated.LISTED:
        form.add_error("known", f"Remove each {thing} from the list, or say that some are known")
    elif said == Stated.LISTED and not rows:
        form.add_error("known", f"Add the first {thing} to the list, or say that none is known")
    return Stated(said)


class MedicationForm(ConceptForm):
    what = ConceptField(
        "Medicine", codes=MEDICINES, hint="Name and strength", missing="Enter the name of the medicine"
    )
    words = more_words()
    dosage = area("Dosage", hint="For example, one tablet at night", rows=2)
    reason = area("What it is taken for", rows=2)

    def stated(self) -> Medication:
        concept = self.concept()
        return Medication(concept, self.text("dosage"), self.text("reason"))


class AllergyForm(ConceptForm):
    what = ConceptField("Allergic to", codes=SUBSTANCES, missing="Enter what the patient is allergic to")
    words = more_words()
    reaction = area("Reaction", hint="What happens", rows=2)

    def stated(self) -> Allergy:
        concept = self.concept()
        return Allergy(concept, self.text("reaction"))


class MedicationStep(Step):
    slug, title, section = "medication", "Medication", "Background"
    parts = (Part.MEDICATION,)
    form, row, row_name, rows_name = StatedForm, MedicationForm, "medicine", "medicines"

    def state(self, form: PartForm, rows: tuple[Medication, ...]) -> dict[str, Any]:
        stated = which(form, rows, "medicine")
        return {"medications": Medications(stated, rows)} if not form.errors else {}

    def given(self, content: RequestContent) -> StepValues:
        rows = (
            write_concept(each.concept, MEDICINES) | filled({"dosage": each.dosage, "reason": each.reason})
            for each in content.medications.listed
        )
        return StepValues({"known": content.medications.stated.value}, tuple(rows))


class AllergiesStep(Step):
    slug, title, section = "allergies", "Allergies", "Background"
    parts = (Part.ALLERGIES,)
    form, row, row_name, rows_name = StatedForm, AllergyForm, "allergy", "allergies"

    def state(self, form: PartForm, rows: tuple[Allergy, ...]) -> dict[str, Any]:
        stated = which(form, rows, "allergy")
        return {"allergies": Allergies(stated, rows)} if not form.errors else {}

    def given(self, content: RequestContent) -> StepValues:
        rows = (
            write_concept(each.concept, SUBSTANCES) | filled({"reaction": each.reaction})
            for each in content.allergies.listed
        )
        return StepValues({"known": content.allergies.stated.value}, tuple(rows))
