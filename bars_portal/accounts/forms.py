"""Forms of sign-in."""

from collections.abc import Iterable
from typing import Any

from bars_portal.accounts.models import Organisation
from bars_portal.nhsuk.forms import NHSForm, Option, PasswordField, RadiosField, TextField


class SignInForm(NHSForm):
    username = TextField(
        label="Username", max_length=150, autocomplete="username", width=20, spellcheck=False
    )
    password = PasswordField(label="Password", classes="nhsuk-input--width-20")


class ChooseOrganisationForm(NHSForm):
    """Cleans `organisation` to the primary key of one of `organisations`, as text."""

    organisation = RadiosField(
        label="Which organisation are you acting for?",
        options=(),
        missing="Select the organisation you are acting for",
    )

    def __init__(self, *args: Any, organisations: Iterable[Organisation], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offered = [
            Option(str(each.pk), each.name, hint=f"ODS code {each.ods_code}") for each in organisations
        ]
        field = self.fields["organisation"]
        assert isinstance(field, RadiosField)  # noqa: S101 - narrows the type, as declared above
        field.choices = field.offer(offered)
