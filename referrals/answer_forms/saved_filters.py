"""The name of a saved filter."""

from bars_portal.nhsuk.forms import NHSForm, TextField
from referrals.models.saved_filter import NAME_LENGTH


class FilterNameForm(NHSForm):
    name = TextField(
        label="Name of the filter",
        hint="Only you see it. Do not name a patient.",
        missing="Enter a name for the filter",
        max_length=NAME_LENGTH,
        width=30,
        autocomplete="off",
    )
