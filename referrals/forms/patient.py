"""About the patient: household, birth sex, estimated age, what was observed, and consent to share it."""

from decimal import Decimal, InvalidOperation
from typing import Any

from bars_portal.exchange.fhir.codes import HouseholdComposition
from bars_portal.nhsuk.forms import Option, RadiosField, TextField
from referrals.cases.codes import OBSERVATIONS
from referrals.forms.base import (
    ConceptField,
    ConceptForm,
    PartForm,
    Step,
    StepValues,
    area,
    filled,
    more_words,
    select,
    write_concept,
)
from referrals.parts.applications import Part
from referrals.parts.content import RequestContent
from referrals.parts.observations import AgeUnit, BirthSex, EstimatedAge, Observation, Observations
from referrals.parts.people import Consent

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
