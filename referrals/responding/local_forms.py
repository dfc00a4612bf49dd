"""Forms of what a service writes down for itself, and tells nobody outside."""

from typing import Any

from bars_portal.nhsuk.forms import NHSForm, RadiosField, TextareaField, TextField
from referrals.responding.forms import METRES, UPRN, CompleteForm, NumberField, bare

CONSULTATION = {
    "held": "Yes",
    "unreached": "No: the patient could not be reached",
    "declined": "No: the patient did not want it",
    "elsewhere": "No: the patient was helped elsewhere",
    "unsuitable": "No: the pharmacy cannot help with this",
}
_OUTCOMES = {
    "advice": "Advice only",
    "supply": "A medicine was supplied",
    "signposted": "Sent to another service, without urgency",
    "escalated": "Escalated: the patient needs to be seen urgently elsewhere",
    "none": "Nothing further",
}


class PharmacyCompleteForm(CompleteForm):
    """What became of a referral to a pharmacy; all of it in words, for nobody outside is told."""

    field_order = ("consultation", "outcome", "escalated_to", "words")
    consultation = RadiosField(
        label="Was there a consultation?",
        options=list(CONSULTATION.items()),
        missing="Select whether there was a consultation",
    )
    outcome = RadiosField(
        label="What was the outcome?", options=list(_OUTCOMES.items()), missing="Select the outcome"
    )
    escalated_to = TextField(
        label="Escalated to", hint="The service, and whom you spoke to", max_length=60, required=False
    )
    # All of it is one line of the history, which has 300 characters.
    words = TextareaField(label="What was done (optional)", max_length=100, rows=2, required=False)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if cleaned.get("outcome") == "escalated" and not cleaned.get("escalated_to", "").strip():
            self.add_error("escalated_to", "Say to whom the patient was escalated")
        return cleaned

    def said(self) -> str:
        """Of a valid form."""
        held = CONSULTATION[self.cleaned_data["consultation"]]
        to, words = self.cleaned_data["escalated_to"].strip(), self.cleaned_data["words"].strip()
        parts = [f"Consultation: {held}", _OUTCOMES[self.cleaned_data["outcome"]]]
        return ". ".join([*parts, *(f"To {to}" for _ in range(bool(to))), *filter(None, [words])])


class AttemptForm(NHSForm):
    reached = RadiosField(
        label="Did you reach the patient?",
        options=[("yes", "Yes"), ("no", "No")],
        missing="Select whether you reached the patient",
    )
    text = TextareaField(
        label="What happened (optional)",
        hint="Only colleagues here read it.",
        max_length=300,
        rows=2,
        required=False,
    )


class OwnPlaceForm(NHSForm):
    """Where it was plotted here, on the map of the ambulance control."""

    uprn = NumberField("UPRN (optional)", "As our own record has it, digits only", UPRN)
    eastings = NumberField("Easting in metres (optional)", "National grid", METRES)
    northings = NumberField("Northing in metres (optional)", "", METRES)

    def clean(self) -> dict[str, Any]:
        cleaned = self.cleaned_data
        for missing, there in (("eastings", "northings"), ("northings", "eastings")):
            if cleaned.get(there) and not cleaned.get(missing) and missing not in self.errors:
                self.add_error(missing, f"{bare(self.fields[missing].label)} is missing")
        if not self.errors and not any(cleaned.values()):
            self.add_error("uprn", "Enter the UPRN, or the easting and the northing")
        return cleaned
