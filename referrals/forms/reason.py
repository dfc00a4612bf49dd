"""Why an old referral is taken back before a new one is sent."""

from bars_portal.nhsuk.forms import NHSForm, TextareaField


class ReasonForm(NHSForm):
    reason = TextareaField(
        label="Why is the old referral taken back?",
        hint="The service that has it reads this",
        missing="Enter why the old referral is taken back",
        max_length=200,
        rows=3,
    )
