"""What is asked of who invites somebody, and of who was invited."""

from collections.abc import Iterable
from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.contrib.auth.validators import UnicodeUsernameValidator
from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from bars_portal.accounts.acting import user_called
from bars_portal.accounts.models import User
from bars_portal.accounts.permissions import Role
from bars_portal.nhsuk.forms import HiddenField, NHSForm, Option, PasswordField, RadiosField, TextField

_WIDTH = "nhsuk-input--width-20"
_ROLE_HINTS = {
    Role.CLINICIAN: "Finds services, books, refers, answers",
    Role.CLERK: "Books and reads the worklist, makes no clinical decisions",
    Role.MANAGER: "Runs services and diaries, and manages people",
    Role.ENGINEER: "Runs the exchange of messages, reads no patient data",
    Role.AUDITOR: "Reads everything, changes nothing",
    Role.INSTALLER: "Keeps what all organisations share, and manages people",
}


class InviteForm(NHSForm):
    """Cleans `role` to the value of one of `roles`."""

    first_name = TextField(label="First name", max_length=150, width=20, spellcheck=False)
    last_name = TextField(label="Last name", max_length=150, width=20, spellcheck=False)
    username = TextField(
        label="Username", hint="They sign in with it", max_length=150, width=20, spellcheck=False
    )
    email = TextField(
        label="Email address (optional)",
        hint="Where the link is sent to, if this portal sends mail",
        required=False,
        max_length=254,
        type="email",
        spellcheck=False,
    )
    role = RadiosField(label="What will they do?", options=(), missing="Select what they will do")

    def __init__(self, *args: Any, roles: Iterable[Role], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["role"]
        assert isinstance(field, RadiosField)  # noqa: S101 - narrows the type, as declared above
        field.choices = field.offer(
            [Option(role.value, role.label, hint=_ROLE_HINTS[role]) for role in roles]
        )

    def clean_username(self) -> str:
        username = User.normalize_username(str(self.cleaned_data["username"]))
        try:
            UnicodeUsernameValidator()(username)
        except ValidationError:
            raise ValidationError("Username can have letters, digits and @ . + - _ only") from None
        if user_called(username) is not None:
            raise ValidationError("Somebody has this username already. Choose another one")
        return username

    def clean_email(self) -> str:
        email = str(self.cleaned_data["email"])
        try:
            if email:
                validate_email(email)
        except ValidationError:
            raise ValidationError("Enter an email address like name@example.nhs.uk") from None
        return email


class AcceptForm(NHSForm):
    """Cleans to `new_password`. Each name says "password" or "token": such fields are never kept."""

    token = HiddenField()
    new_password = PasswordField(label="Password", classes=_WIDTH, autocomplete="new-password")
    new_password_again = PasswordField(label="Password again", classes=_WIDTH, autocomplete="new-password")

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._user = user

    def clean_new_password(self) -> str:
        new = str(self.cleaned_data["new_password"])
        validate_password(new, self._user)
        return new

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        new, again = cleaned.get("new_password"), cleaned.get("new_password_again")
        if new and again and new != again:
            self.add_error("new_password_again", "The passwords are not the same")
        return cleaned
