"""Small forms around a request: which kind, which service, why an old one is taken back."""

from collections.abc import Sequence
from typing import Any

from bars_portal.correspondence.reassessment import ReassessedField
from bars_portal.nhsuk.forms import NHSForm, RadiosField, TextareaField, TextField

REVOKED, IN_ERROR = "revoked", "entered-in-error"


class KindForm(NHSForm):
    use_case = RadiosField(
        label="What kind of request is it?",
        options=[],
        missing="Select what kind of request it is",
        label_size="m",
    )

    def __init__(self, *args: Any, kinds: Sequence[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["use_case"]
        if isinstance(field, RadiosField):
            field.choices = field.offer(kinds)
            field.initial = kinds[0][0] if len(kinds) == 1 else None


class ServiceNameForm(NHSForm):
    name = TextField(label="Name of the service", required=False, max_length=80, autocomplete="off")


class ReasonForm(NHSForm):
    """Of a referral that takes another one's place."""

    reassessed = ReassessedField()
    reason = TextareaField(
        label="Why is the old referral taken back?",
        hint="The service that has it reads this",
        missing="Enter why the old referral is taken back",
        max_length=200,
        rows=3,
    )


class TakeBackForm(NHSForm):
    how = RadiosField(
        label="Why is it taken back?",
        options=[
            (REVOKED, "Circumstances changed: it is no longer needed"),
            (IN_ERROR, "It was sent by mistake: it never should have been"),
        ],
        missing="Select why it is taken back",
    )
    reason = TextareaField(
        label="The reason in a few words",
        missing="Enter the reason in a few words",
        max_length=300,
        rows=3,
    )
