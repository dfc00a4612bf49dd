"""About the patient: medication and allergies, what was observed, and consent to share it.

Medication and allergies are listed, none known, or not stated. Never the same thing.
"""

from decimal import Decimal, InvalidOperation
from typing import Any

from bars_portal.exchange.fhir.codes import HouseholdComposition
from bars_portal.nhsuk.forms import ConfirmField, Option, PartlyKnownDateField, RadiosField, TextField
from referrals.cases.codes import MEDICINES, OBSERVATIONS, REACTIONS, SUBSTANCES
from referrals.cases.states import Labelled
from referrals.forms import times
from referrals.forms.base import (
    ConceptField,
    ConceptForm,
    PartForm,
    Step,
    StepValues,
    Typed,
    area,
    codes_of,
    filled,
    more_words,
    read_concept,
    select,
    write_concept,
)
from referrals.parts.applications import Part, application_of
from referrals.parts.content import RequestContent
from referrals.parts.medication import (
    Allergies,
    Allergy,
    AllergyCategory,
    AllergyType,
    Medication,
    Medications,
    Severity,
    Stated,
)
from referrals.parts.observations import AgeUnit, BirthSex, EstimatedAge, Observation, Observations
from referrals.parts.people import Consent


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


def _found_now() -> ConfirmField:
    return ConfirmField(label="Found in this assessment, and on no record yet", required=False)


class MedicationForm(ConceptForm):
    behind = ("since", "reason", "is_new")
    behind_label = "Since when, and what for (optional)"

    what = ConceptField(
        "Medicine", codes=MEDICINES, hint="Name and strength", missing="Enter the name of the medicine"
    )
    words = more_words()
    dosage = area("Dosage", hint="For example, one tablet at night", rows=2)
    reason = area("What it is taken for", rows=2)
    since = PartlyKnownDateField(
        label="Taken since",
        called="The date since which it is taken",
        hint="As far as it is known: the year alone will do",
        required=False,
    )
    is_new = _found_now()

    def adapt(self) -> None:
        _ask_what_is_new(self)

    def stated(self) -> Medication:
        concept, since = self.concept(), self.text("since")
        return Medication(
            concept, self.text("dosage"), self.text("reason"), since, bool(self.answer("is_new"))
        )


def _ask_what_is_new(form: PartForm) -> None:
    """A pharmacy is told what no record has."""
    if not application_of(form.asked.use_case).is_ordered:
        del form.fields["is_new"]


def _offered(codes: type[Labelled]) -> list[tuple[str, str]]:
    return [(each.value, each.label) for each in codes]


class AllergyForm(ConceptForm):
    what = ConceptField("Allergic to", codes=SUBSTANCES, missing="Enter what the patient is allergic to")
    words = more_words()
    reaction = ConceptField("Reaction", codes=REACTIONS, hint="What happens: from the list, or in your words")
    reaction_words = area("More about the reaction", rows=2)
    severity = select("How severe the reaction is", _offered(Severity))
    type = select("Allergy or intolerance", _offered(AllergyType))
    category = select("Kind of substance", _offered(AllergyCategory))
    is_new = _found_now()
    behind = ("reaction_words", "severity", "type", "category", "is_new")
    behind_label = "More about the allergy (optional)"

    def adapt(self) -> None:
        _ask_what_is_new(self)

    def clean(self) -> dict[str, Any]:
        if self.text("severity") and not (self.text("reaction") or self.text("reaction_words")):
            self.add_error("reaction", "Enter what the reaction is")
        return super().clean()

    def stated(self) -> Allergy:
        said = {name: self.text(name) for name in ("severity", "type", "category")}
        return Allergy(
            self.concept(),
            read_concept(self.text("reaction"), self.text("reaction_words"), codes_of(self, "reaction")),
            AllergyType(said["type"]) if said["type"] else None,
            AllergyCategory(said["category"]) if said["category"] else None,
            Severity(said["severity"]) if said["severity"] else None,
            bool(self.answer("is_new")),
        )


class MedicationStep(Step):
    slug, title, section = "medication", "Medication", "Background"
    parts = (Part.MEDICATION,)
    form, row, row_name, rows_name = StatedForm, MedicationForm, "medicine", "medicines"

    def state(self, form: PartForm, rows: tuple[Medication, ...]) -> dict[str, Any]:
        stated = which(form, rows, "medicine")
        return {"medications": Medications(stated, rows)} if not form.errors else {}

    def given(self, content: RequestContent) -> StepValues:
        rows = (
            write_concept(each.concept, MEDICINES)
            | filled({"dosage": each.dosage, "reason": each.reason, **_ticked(each.is_new)})
            | times.write_part_day("since", each.since)
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
        return StepValues(
            {"known": content.allergies.stated.value}, tuple(map(_allergy_row, content.allergies.listed))
        )


def _ticked(is_new: bool) -> Typed:
    return {"is_new": "on"} if is_new else {}


def _allergy_row(allergy: Allergy) -> Typed:
    reaction = write_concept(allergy.reaction, REACTIONS) if allergy.reaction else {}
    shown = {"reaction": reaction.get("what"), "reaction_words": reaction.get("words")}
    others = {name: getattr(allergy, name) for name in ("severity", "type", "category")}
    return write_concept(allergy.concept, SUBSTANCES) | filled({**shown, **others, **_ticked(allergy.is_new)})


_OLDEST = 150


class AboutForm(PartForm):
    household = select(
        "Who the patient lives with", [(each.value, each.display) for each in HouseholdComposition]
    )
    birth_sex = RadiosField(
        label="Sex registered at birth",
        options=[(each.value, each.label) for each in BirthSex],
        required=False,
    )
    age = TextField(
        label="Estimated age",
        hint="Only when the date of birth is not known",
        required=False,
        max_length=10,
        width=3,
        inputmode="decimal",
        autocomplete="off",
    )
    age_unit = select(
        "Estimated age in",
        [(each.value, each.label.capitalize()) for each in AgeUnit],
        hint="Years, if nothing is selected",
    )

    def clean_age(self) -> Decimal | None:
        typed = self.text("age")
        if not typed:
            return None
        try:
            age = Decimal(typed)
        except InvalidOperation:
            age = Decimal(-1)
        exponent = age.as_tuple().exponent
        whole = isinstance(exponent, int) and -1 <= exponent <= 0
        if not whole or not 0 <= age <= _OLDEST:
            self.add_error("age", f"Estimated age must be a number from 0 to {_OLDEST}")
            return None
        return age

    def stated(self) -> Observations:
        age, sex = self.answer("age"), self.text("birth_sex")
        unit = AgeUnit(self.text("age_unit") or AgeUnit.YEARS)
        return Observations(
            household=HouseholdComposition.lookup(self.text("household")),
            birth_sex=BirthSex(sex) if sex else None,
            estimated_age=EstimatedAge(age, unit) if age is not None else None,
        )


class ObservationForm(ConceptForm):
    what = ConceptField(
        "Observation",
        codes=OBSERVATIONS,
        hint="Type to search the list, or your own words",
        missing="Enter what was observed",
    )
    words = more_words()
    value = area("What was found", hint="For example, a measured value with its unit", rows=2)

    def stated(self) -> Observation:
        concept = self.concept()
        return Observation(concept, self.text("value"))


class ObservationsStep(Step):
    slug, title, section = "observations", "Observations", "Background"
    parts = (Part.OBSERVATIONS,)
    form, row, row_name, rows_name = AboutForm, ObservationForm, "observation", "observations"

    def state(self, form: PartForm, rows: tuple[Observation, ...]) -> dict[str, Any]:
        about: Observations = form.stated()
        return {"observations": Observations(rows, about.household, about.birth_sex, about.estimated_age)}

    def given(self, content: RequestContent) -> StepValues:
        stated, age = content.observations, content.observations.estimated_age
        fields = filled(
            {
                "household": stated.household,
                "birth_sex": stated.birth_sex,
                "age": format(age.number, "f") if age else "",
                "age_unit": age.unit if age else "",
            }
        )
        rows = (
            write_concept(each.concept, OBSERVATIONS) | filled({"value": each.value})
            for each in stated.listed
        )
        return StepValues(fields, tuple(rows))


class ConsentForm(PartForm):
    consent = RadiosField(
        label="On what ground is the patient's information shared?",
        options=[
            Option(
                Consent.GIVEN.value,
                "The patient agreed to it",
                hint="Kept here. The service is told implied consent, as the standard has it",
            ),
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

    def given(self, content: RequestContent) -> StepValues:
        return StepValues({"consent": content.consent.value})
