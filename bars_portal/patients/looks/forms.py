"""What an auditor types to ask the trail."""

from typing import Any

from bars_portal.nhsuk.forms import DateField, NHSForm, NHSNumberField, RadiosField, TextField
from bars_portal.patients.looks.question import ALL, LOOKS


class TrailForm(NHSForm):
    """At least one of them; a family name goes with a date of birth."""

    nhs_number = NHSNumberField(required=False)
    family_name = TextField(
        label="Patient's family name",
        hint="If you do not have the NHS number. The date of birth is needed too",
        max_length=140,
        required=False,
        autocomplete="off",
        spellcheck=False,
        width=20,
    )
    birth_date = DateField(label="Patient's date of birth", hint="For example, 15 3 1984", required=False)
    case = TextField(
        label="Booking or case",
        hint="Its reference, or an id from an address or a message",
        max_length=100,
        required=False,
        autocomplete="off",
        spellcheck=False,
        width=20,
    )
    staff = TextField(
        label="Member of staff",
        hint="A part of their name, or their username",
        max_length=150,
        required=False,
        autocomplete="off",
        spellcheck=False,
        width=20,
    )
    first = DateField(label="From", hint="The first day", required=False)
    last = DateField(label="To", hint="The last day", required=False)
    shown = RadiosField(
        label="What to show",
        options=[
            (LOOKS, "Who looked: pages that were opened and files that were saved"),
            (ALL, "Everything that was done"),
        ],
        missing="Select what to show",
        initial=LOOKS,
    )

    def asked_by(self) -> str:
        """Which fields were filled in, for the trail; of a valid form."""
        return ", ".join(name for name, value in self.cleaned_data.items() if value and name != "shown")

    def clean(self) -> dict[str, Any]:
        super().clean()
        # A copy: what gets an error leaves the original.
        told = dict(self.cleaned_data)
        if self.errors:
            return told
        if told["family_name"] and not told["birth_date"]:
            self.add_error("birth_date", "Enter the patient's date of birth too")
        if told["birth_date"] and not (told["family_name"] or told["nhs_number"]):
            self.add_error("family_name", "Enter the patient's family name too")
        if told["first"] and told["last"] and told["last"] < told["first"]:
            self.add_error("last", "The last day must not be before the first")
        if not any(value for name, value in told.items() if name != "shown"):
            self.add_error(None, "Enter a patient, a booking or case, a member of staff, or a day")
        return told
