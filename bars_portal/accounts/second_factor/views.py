"""The second step of signing in, setting up a second factor, and confirming who one is.

Each asks for a factor in the same way, and judges what is shown.
"""

from datetime import datetime
from typing import Any

from django.contrib import messages
from django.contrib.auth import authenticate, login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from bars_portal.accounts import services
from bars_portal.accounts.acting import actor_of, name_of
from bars_portal.accounts.cis2.sign_in import ID_TOKEN
from bars_portal.accounts.decorators import is_fresh, note_proof, sign_in_required
from bars_portal.accounts.late_forms import (
    INTERRUPTED,
    page_after_sign_in,
    remember_person,
    safe_next,
    to_sign_in,
)
from bars_portal.accounts.models import User
from bars_portal.accounts.permissions import PolicyRefused
from bars_portal.accounts.second_factor import proofs
from bars_portal.accounts.second_factor import services as factor_services
from bars_portal.accounts.second_factor.factors import (
    Factors,
    end_pending,
    factors_of,
    has_factor,
    pending_sign_in,
)
from bars_portal.accounts.views import begin_session, welcome
from bars_portal.audit.actor import Actor
from bars_portal.nhsuk.forms import HiddenField, NHSForm, PasswordField, TextField

_BACKEND = "bars_portal.accounts.acting.RoleBackend"
# Until it is confirmed, the app's secret waits in the session, encrypted.
_NEW_SECRET, _NEW_PASSKEY, _ASKED = "new_app_secret", "new_passkey_question", "passkey_question"
_WRONG_CODE = "The code is not right, or was used before. Wait for the next code, or use a recovery code"
_WRONG_PASSKEY = "The passkey was not accepted. Try again, or enter a code"
_METHODS = ["GET", "HEAD", "POST"]


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


class PasswordOnlyForm(NHSForm):
    password = PasswordField(label="Password", classes="nhsuk-input--width-20")


class NewAppForm(NHSForm):
    otp = TextField(
        label="Code",
        hint="The 6 digits that the app shows now",
        max_length=10,
        autocomplete="one-time-code",
        inputmode="numeric",
        width=10,
    )


class NewPasskeyForm(NHSForm):
    """`passkey` is the browser's answer, which a script fills in."""

    name = TextField(
        label="Name", hint="How you will know it again, such as “work laptop”", max_length=60, width=20
    )
    passkey = HiddenField(label="The passkey", max_length=20_000)


@sensitive_post_parameters()
@never_cache
@require_http_methods(_METHODS)
def second_step(request: HttpRequest) -> HttpResponse:
    """After the password: the second factor, or setting one up for who needs one and has none."""
    waiting = pending_sign_in(request.session, now=timezone.now())
    if waiting is None or request.user.is_authenticated:
        return redirect("accounts:sign-in")
    user, factors = waiting.user, factors_of(waiting.user)
    if not factors:
        return redirect("accounts:set-up")
    form = _code_form(request, factors)
    way = _proven_by(request, user, form, now=timezone.now())
    if way:
        end_pending(request.session)
        login(request, user, backend=_BACKEND)
        if way == "recovery":
            left = factors.recovery_codes_left - 1
            messages.warning(request, f"You used a recovery code. You have {left} left.")
        return welcome(request, user, waiting.target, way=f"password and {way}")
    if request.method == "POST" and (form.errors or form.wrong_passkey):
        locked = bool(getattr(request, "axes_locked_out", False))
        services.record_failed_sign_in(
            username=user.get_username(), locked=locked, step="second factor", now=timezone.now()
        )
    context = {"form": form, "question": _passkey_question(request, factors), "factors": factors}
    return render(request, "accounts/second_factor.jinja", context)


def _enrolling(request: HttpRequest) -> User | None:
    """Who sets a factor up: a person signed in, or one who has to before they are."""
    if isinstance(request.user, User):
        return request.user
    waiting = pending_sign_in(request.session, now=timezone.now())
    # Whoever has one already must show it: the password alone adds no other.
    return waiting.user if waiting is not None and not has_factor(waiting.user) else None


def _not_now(request: HttpRequest, user: User | None) -> HttpResponse | None:
    """Where to go first, if anywhere."""
    now = timezone.now()
    if user is None:
        return to_sign_in(request, now=now)
    if not user.has_usable_password():
        return redirect("accounts:security")
    if request.user.is_authenticated and not is_fresh(request.session, now=now):
        return redirect(f"{reverse('accounts:confirm')}?next={request.path}")
    return None


@never_cache
@require_http_methods(["GET", "HEAD"])
def set_up(request: HttpRequest) -> HttpResponse:
    """Choose what kind."""
    user = _enrolling(request)
    if user is None:
        return to_sign_in(request, now=timezone.now())
    context = {"can_use_passkeys": proofs.can_use_passkeys_at(_origin_of(request))}
    return render(request, "accounts/set_up.jinja", context)


@sensitive_post_parameters()
@never_cache
@require_http_methods(_METHODS)
def add_app(request: HttpRequest) -> HttpResponse:
    """Scan, then show that the app works."""
    user = _enrolling(request)
    elsewhere = _not_now(request, user)
    if user is None or elsewhere is not None:
        return elsewhere or to_sign_in(request, now=timezone.now())
    secret, form = _new_secret(request), NewAppForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        shown = factor_services.add_app(
            user=user, secret=secret, code=form.cleaned_data["otp"], actor=_actor(user), now=timezone.now()
        )
        if shown is not None:
            del request.session[_NEW_SECRET]
            return _added(request, user, shown, "app")
        form.add_error(
            "otp", "The code is not the app’s. Check the time of your phone, and enter the next code"
        )
    uri = proofs.provisioning_uri(secret, user.get_username())
    context = {"form": form, "qr_code": proofs.qr_code(uri), "typed_secret": proofs.typed_app_secret(secret)}
    return render(request, "accounts/add_app.jinja", context)


def _new_secret(request: HttpRequest) -> bytes:
    """The same until it is confirmed: a page that is loaded again shows what was scanned."""
    sealer = factor_services.SEALER
    secret = sealer.unseal(str(request.session.get(_NEW_SECRET, "")).encode())
    if secret is None:
        secret = proofs.new_app_secret()
        request.session[_NEW_SECRET] = sealer.seal(secret).decode()
    return secret


@sensitive_post_parameters()
@never_cache
@require_http_methods(_METHODS)
def add_passkey(request: HttpRequest) -> HttpResponse:
    user = _enrolling(request)
    elsewhere = _not_now(request, user)
    if user is None or elsewhere is not None:
        return elsewhere or to_sign_in(request, now=timezone.now())
    origin = _origin_of(request)
    if not proofs.can_use_passkeys_at(origin):
        return redirect("accounts:set-up")
    form = NewPasskeyForm(request.POST if request.method == "POST" else None)
    state = request.session.pop(_NEW_PASSKEY, None) or {}
    if form.is_valid():
        try:
            made = proofs.read_registration(form.cleaned_data["passkey"], state, origin=origin)
            shown = factor_services.add_passkey(
                user=user, made=made, name=form.cleaned_data["name"], actor=_actor(user), now=timezone.now()
            )
        except proofs.InvalidAnswer:
            form.add_error(None, "The passkey could not be made. Try again")
        except PolicyRefused as refusal:
            form.add_error(None, refusal.sentence)
        else:
            return _added(request, user, shown, "passkey")
    question, request.session[_NEW_PASSKEY] = proofs.ask_to_register(
        user, factors_of(user).passkeys, origin=origin
    )
    return render(request, "accounts/add_passkey.jinja", {"form": form, "question": question})


def _added(request: HttpRequest, user: User, shown: list[str], factor: str) -> HttpResponse:
    """Recovery codes are in this answer and nowhere else; who was signing in is in now."""
    waiting = pending_sign_in(request.session, now=timezone.now())
    if request.user.is_authenticated or waiting is None:
        note_proof(request.session, now=timezone.now())
        messages.success(request, f"Your {'authenticator app' if factor == 'app' else 'passkey'} is added.")
        return recovery_codes_page(request, shown) if shown else redirect("accounts:security")
    target = page_after_sign_in(request, user, waiting.target)
    end_pending(request.session)
    login(request, user, backend=_BACKEND)
    begin_session(request, user, way=f"password and {factor}")
    response = recovery_codes_page(request, shown, continue_to=target)
    remember_person(response, user.pk)
    return response


def recovery_codes_page(request: HttpRequest, shown: list[str], *, continue_to: str = "") -> HttpResponse:
    context = {"recovery_codes": shown, "continue_to": continue_to or reverse("accounts:security")}
    return render(request, "accounts/recovery_codes.jinja", context)


def _actor(user: User) -> Actor:
    return Actor(label=name_of(user), user_id=user.pk)


@sensitive_post_parameters()
@never_cache
@require_http_methods(_METHODS)
@sign_in_required
def confirm(request: HttpRequest) -> HttpResponse:
    """Where `requires_step_up` sends people: who are you, still?"""
    user = request.user
    assert isinstance(user, User)  # noqa: S101 - narrows the type, as sign_in_required saw to it
    target = safe_next(request, request.POST.get("next", request.GET.get("next", "")))
    context: dict[str, Any] = {"next_page": target}
    if request.session.get(ID_TOKEN):
        return render(request, "accounts/confirm_cis2.jinja", context)
    factors = factors_of(user)
    if factors:
        form: Any = _code_form(request, factors)
        way = _proven_by(request, user, form, now=timezone.now())
    else:
        form = PasswordOnlyForm(request.POST if request.method == "POST" else None)
        way = _password_is_theirs(request, user, form)
    if way:
        note_proof(request.session, now=timezone.now())
        services.record_confirmation(user=user, actor=actor_of(request), way=way, now=timezone.now())
        if request.session.pop(INTERRUPTED, False):
            messages.info(request, "Thank you. Nothing was done yet: do again what you wanted to do.")
        return redirect(target or "home")
    if request.method == "POST":
        services.record_confirmation(user=user, actor=actor_of(request), way="", now=timezone.now())
    context |= {"form": form, "factors": factors, "question": _passkey_question(request, factors)}
    return render(request, "accounts/confirm.jinja", context)


def _password_is_theirs(request: HttpRequest, user: User, form: PasswordOnlyForm) -> str:
    if not form.is_valid():
        return ""
    found = authenticate(request, username=user.get_username(), password=form.cleaned_data["password"])
    if found is not None and found.pk == user.pk:
        return "password"
    form.add_error("password", "This is not your password. Check it and try again")
    return ""


def _origin_of(request: HttpRequest) -> str:
    return f"{request.scheme}://{request.get_host()}"


def _code_form(request: HttpRequest, factors: Factors) -> CodeForm:
    """Unbound also when a passkey was sent, which has no field to be typed in."""
    is_typed = request.method == "POST" and not request.POST.get("passkey")
    form = CodeForm(request.POST if is_typed else None)
    if factors.app is None:
        form.ask_for_recovery_code()
    return form


def _passkey_question(request: HttpRequest, factors: Factors) -> str:
    """What the page hands to the browser, as JSON; "" when they have no passkey that can be used here."""
    origin = _origin_of(request)
    if not factors.passkeys or not proofs.can_use_passkeys_at(origin):
        return ""
    question, state = proofs.ask_to_assert(factors.passkeys, origin=origin)
    request.session[_ASKED] = state
    return question


def _proven_by(request: HttpRequest, user: User, form: CodeForm, *, now: datetime) -> str:
    """The way in which they proved it: app, passkey or recovery; "" with the error on the form.

    Counted and locked as guesses at a password are (accounts.throttling).
    """
    answer = request.POST.get("passkey", "")
    if request.method != "POST" or not (answer or form.is_valid()):
        return ""
    proof = factor_services.Proof(
        now=now,
        code="" if answer else form.cleaned_data["otp"],
        passkey=answer,
        # Whatever comes of it, the same question is not asked again.
        state=request.session.pop(_ASKED, None) or {},
        origin=_origin_of(request),
    )
    found = authenticate(request, username=user.get_username(), secret_proof=proof)
    if found is not None and found.pk == user.pk:
        return proof.way
    if answer:
        form.wrong_passkey = _WRONG_PASSKEY
    else:
        form.add_error("otp", _WRONG_CODE)
    return ""
