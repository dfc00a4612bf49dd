"""On what ground the patient's information is shared."""

from typing import Any

from bars_portal.nhsuk.forms import Option, RadiosField
from referrals.forms.base import PartForm, Step, StepValues
from referrals.parts.content import RequestContent
from referrals.parts.people import Consent


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
