"""Asking somebody for their second factor on a page, and judging what they show."""

from datetime import datetime

from django.contrib.auth import authenticate
from django.http import HttpRequest

from bars_portal.accounts.models import User
from bars_portal.accounts.second_factor import proofs
from bars_portal.accounts.second_factor.factors import Factors
from bars_portal.accounts.second_factor.services import Proof
from bars_portal.nhsuk.forms import NHSForm, TextField

_STATE = "passkey_question"
_WRONG_CODE = "The code is not right, or was used before. Wait for the next code, or use a recovery code"
_WRONG_PASSKEY = "The passkey was not accepted. Try again, or enter a code"


class CodeForm(NHSForm):
    """Cleans to `otp`, as typed: fields of that name are never kept (accounts.late_forms).

    `wrong_passkey` is a sentence when a passkey was shown in vain.
    """

    wrong_passkey = ""

    def ask_for_recovery_code(self) -> None:
        """They have no app."""
        field = self.fields["otp"]
        assert isinstance(field, TextField)  # noqa: S101 - narrows the type, as declared below
        field.label, field.hint = "Recovery code", "If you cannot use your passkey"

    otp = TextField(
        label="Code",
        hint="The 6 digits that your authenticator app shows now, or one of your recovery codes",
        max_length=40,
        autocomplete="one-time-code",
        width=10,
        spellcheck=False,
    )


def origin_of(request: HttpRequest) -> str:
    return f"{request.scheme}://{request.get_host()}"


def form_for(request: HttpRequest, factors: Factors) -> CodeForm:
    """Unbound also when a passkey was sent, which has no field to be typed in."""
    is_typed = request.method == "POST" and not request.POST.get("passkey")
    form = CodeForm(request.POST if is_typed else None)
    if factors.app is None:
        form.ask_for_recovery_code()
    return form


def passkey_question(request: HttpRequest, factors: Factors) -> str:
    """What the page hands to the browser, as JSON; "" when they have no passkey that can be used here."""
    origin = origin_of(request)
    if not factors.passkeys or not proofs.can_use_passkeys_at(origin):
        return ""
    question, state = proofs.ask_to_assert(factors.passkeys, origin=origin)
    request.session[_STATE] = state
    return question


def proven_by(request: HttpRequest, user: User, form: CodeForm, *, now: datetime) -> str:
    """The way in which they proved it: app, passkey or recovery; "" with the error on the form.

    Counted and locked as guesses at a password are (accounts.throttling).
    """
    answer = request.POST.get("passkey", "")
    if request.method != "POST" or not (answer or form.is_valid()):
        return ""
    proof = Proof(
        now=now,
        code="" if answer else form.cleaned_data["otp"],
        passkey=answer,
        # Whatever comes of it, the same question is not asked again.
        state=request.session.pop(_STATE, None) or {},
        origin=origin_of(request),
    )
    found = authenticate(request, username=user.get_username(), secret_proof=proof)
    if found is not None and found.pk == user.pk:
        return proof.way
    if answer:
        form.wrong_passkey = _WRONG_PASSKEY
    else:
        form.add_error("otp", _WRONG_CODE)
    return ""
