"""The pages of people: who can do what, inviting and accepting, leaving, and the review."""

from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.password_validation import password_validators_help_texts, validate_password
from django.contrib.auth.validators import UnicodeUsernameValidator
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from bars_portal.accounts import mail
from bars_portal.accounts.acting import acting_of, user_called
from bars_portal.accounts.decorators import permission_required, requires_step_up
from bars_portal.accounts.models import Invitation, User
from bars_portal.accounts.people import selectors, services
from bars_portal.accounts.people.services import MANAGE, can_manage, check_can_manage, roles_given_by
from bars_portal.accounts.permissions import PolicyRefused, Role, why_not
from bars_portal.audit.services import record
from bars_portal.nhsuk.dates import format_datetime, in_london
from bars_portal.nhsuk.documents import csv_lines
from bars_portal.nhsuk.forms import HiddenField, NHSForm, Option, PasswordField, RadiosField, TextField
from bars_portal.nhsuk.pages import RowPaginator

_VIEW = "accounts.view_people"
_WIDTH = "nhsuk-input--width-20"
_PAGE, _LONGEST_NAME = 25, 150
_ROLE_HINTS = {
    Role.CLINICIAN: "Finds services, books, refers, answers",
    Role.CLERK: "Books and reads the worklist, makes no clinical decisions",
    Role.MANAGER: "Runs services and diaries, and manages people",
    Role.ENGINEER: "Runs the exchange of messages, reads no patient data",
    Role.AUDITOR: "Reads everything, changes nothing",
    Role.INSTALLER: "Keeps what all organisations share, and manages people",
}


class FindForm(NHSForm):
    name = TextField(
        label="Name, username or email address",
        required=False,
        max_length=_LONGEST_NAME,
        width=20,
        spellcheck=False,
    )


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


@require_safe
@permission_required(_VIEW)
def people(request: HttpRequest) -> HttpResponse:
    acting, now = acting_of(request), timezone.now()
    name = request.GET.get("name", "").replace("\0", "")[:_LONGEST_NAME]
    found = selectors.people_by_name(acting.organisation, name)
    page = RowPaginator(found, _PAGE).get_page(request.GET.get("page"))
    shown: Any = page.object_list
    record(actor=acting.actor, action="accounts.view_people", now=now)
    context = {
        "form": FindForm(initial={"name": name}),
        "name": name,
        "page": page,
        "query": f"{urlencode({'name': name})}&" if name else "",
        "lines": list(selectors.person_lines(acting.organisation, shown)),
        "invitations": selectors.open_invitations(acting.organisation, now=now),
        "review": selectors.latest_review(acting.organisation),
        "may_manage": acting.may(MANAGE),
    }
    return render(request, "accounts/people/list.jinja", context)


@require_safe
@permission_required(_VIEW)
def as_csv(request: HttpRequest) -> HttpResponse:
    """Who can do what, one person a line."""
    acting, now = acting_of(request), timezone.now()
    found = selectors.people_by_name(acting.organisation)
    record(actor=acting.actor, action="accounts.export_people", now=now)
    columns = (
        "Name",
        "Username",
        "Roles",
        "May",
        "Account",
        "Last sign-in",
        "Last did something here",
        "Second factor",
    )
    rows = (
        (
            line.name,
            line.username,
            ", ".join(role.label for role in line.roles),
            "everything (superuser)" if line.is_superuser else ", ".join(line.permissions),
            "active" if line.is_active else "closed",
            format_datetime(line.last_sign_in) if line.last_sign_in else "never",
            format_datetime(line.last_act) if line.last_act else "never",
            line.second_factor,
        )
        for line in selectors.person_lines(acting.organisation, found)
    )
    response = StreamingHttpResponse(csv_lines(columns, rows), content_type="text/csv; charset=utf-8")
    name = f"access-{acting.organisation.ods_code}-{in_london(now):%Y-%m-%d}.csv"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response  # type: ignore[return-value]  # a stream has all that is asked of answers here


@require_POST
@permission_required(MANAGE)
def review(request: HttpRequest) -> HttpResponse:
    services.record_review(acting=acting_of(request), now=timezone.now())
    messages.success(request, "The review is recorded.")
    return redirect("accounts:people")


@require_safe
@permission_required(_VIEW)
def person(request: HttpRequest, person_id: int) -> HttpResponse:
    acting, found = acting_of(request), _person(request, person_id)
    record(actor=acting.actor, action="accounts.view_person", subject=found, now=timezone.now())
    (line,) = selectors.person_lines(acting.organisation, User.objects.filter(pk=found.pk))
    context = {
        "line": line,
        "may_manage": can_manage(acting, found),
        "why_not": why_not(lambda: check_can_manage(acting, found)) if acting.may(MANAGE) else "",
    }
    return render(request, "accounts/people/person.jinja", context)


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required(MANAGE)
@requires_step_up
def invite(request: HttpRequest) -> HttpResponse:
    """The link is in this answer and in the mail, and nowhere else."""
    acting = acting_of(request)
    given = request.POST if request.method == "POST" else None
    form = InviteForm(given, roles=roles_given_by(acting))
    if not form.is_valid():
        return render(request, "accounts/people/invite.jinja", {"form": form})
    told = form.cleaned_data
    token = services.invite(
        acting=acting,
        role=Role(told["role"]),
        username=told["username"],
        first_name=told["first_name"],
        last_name=told["last_name"],
        email=told["email"],
        now=timezone.now(),
    )
    # In the query: no log of ours has that part of an address.
    query = urlencode({"token": token})
    link = request.build_absolute_uri(f"{reverse('accounts:accept-invitation')}?{query}")
    is_mailed = bool(told["email"]) and _mail(told["email"], acting.organisation.name, link)
    context = {"link": link, "name": told["first_name"], "email": told["email"], "is_mailed": is_mailed}
    return render(request, "accounts/people/invited.jinja", context | {"can_send": mail.can_send()})


def _mail(email: str, organisation: str, link: str) -> bool:
    text = (
        f"{organisation} invites you to the BaRS portal.\n\nChoose your password within 7 days:\n{link}\n\n"
        "The link works once. If you did not expect it, do not open it, and tell your IT support.\n"
    )
    return mail.send(to=[email], subject="Your account for the BaRS portal", text=text)


@require_POST
@permission_required(MANAGE)
def withdraw(request: HttpRequest, invitation_id: int) -> HttpResponse:
    acting = acting_of(request)
    invitation = Invitation.objects.filter(pk=invitation_id, organisation=acting.organisation).first()
    if invitation is None:
        raise Http404
    if services.withdraw(acting=acting, invitation=invitation, now=timezone.now()):
        messages.success(request, "The invitation is withdrawn: its link does not work any more.")
    else:
        messages.error(request, "The invitation was accepted or withdrawn before.")
    return redirect("accounts:people")


@sensitive_post_parameters()
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def accept_invitation(request: HttpRequest) -> HttpResponse:
    """For somebody who has no account yet: who holds the link chooses its password."""
    token = request.POST.get("token", "") or request.GET.get("token", "")
    invitation = services.invitation_of(token, now=timezone.now())
    if invitation is None or request.user.is_authenticated:
        return render(request, "accounts/people/no_invitation.jinja", status=404)
    # Not saved: what their password must not resemble.
    names = {"first_name": invitation.first_name, "last_name": invitation.last_name}
    to_be = User(username=invitation.username, **names)
    form = AcceptForm(
        request.POST if request.method == "POST" else None, user=to_be, initial={"token": token}
    )
    if form.is_valid():
        try:
            user = services.accept(
                invitation=invitation, password=form.cleaned_data["new_password"], now=timezone.now()
            )
        except IntegrityError:
            form.add_error(None, "Somebody else took this username meanwhile. Ask for a new invitation")
        else:
            if user is None:
                return render(request, "accounts/people/no_invitation.jinja", status=404)
            messages.success(request, f"Your account is ready. Sign in as {user.get_username()}.")
            return redirect("accounts:sign-in")
    context = {"form": form, "invitation": invitation, "rules": password_validators_help_texts()}
    return render(request, "accounts/people/accept.jinja", context)


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required(MANAGE)
@requires_step_up
def leave(request: HttpRequest, person_id: int) -> HttpResponse:
    """Asks once, with what they leave behind."""
    acting, found = acting_of(request), _person(request, person_id)
    work = selectors.unfinished_work_of(found, acting.organisation)
    if request.method == "POST":
        refusal = _refusal(lambda: services.leave(acting=acting, person=found, now=timezone.now()))
        if not refusal:
            messages.success(request, f"{found.get_full_name() or found.get_username()} has left.")
            return redirect("accounts:people")
        messages.error(request, refusal)
        return redirect("accounts:person", person_id)
    context = {
        "person": found,
        "work": work,
        "elsewhere": selectors.belongs_elsewhere(found, acting.organisation),
        "why_not": why_not(lambda: check_can_manage(acting, found)),
    }
    return render(request, "accounts/people/leave.jinja", context)


@require_POST
@permission_required(MANAGE)
@requires_step_up
def reset_second_factor(request: HttpRequest, person_id: int) -> HttpResponse:
    acting, found = acting_of(request), _person(request, person_id)
    refusal = _refusal(
        lambda: services.reset_second_factor_of(acting=acting, person=found, now=timezone.now())
    )
    told = "Their second factor is reset, and they are signed out everywhere."
    return _told(request, found, refusal, told)


@require_POST
@permission_required(MANAGE)
def end_sessions(request: HttpRequest, person_id: int) -> HttpResponse:
    acting, found = acting_of(request), _person(request, person_id)
    refusal = _refusal(lambda: services.end_sessions_of(acting=acting, person=found, now=timezone.now()))
    return _told(request, found, refusal, "They are signed out everywhere.")


def _told(request: HttpRequest, found: User, refusal: str, told: str) -> HttpResponse:
    if refusal:
        messages.error(request, refusal)
    else:
        messages.success(request, told)
    return redirect("accounts:person", found.pk)


def _refusal(act: Callable[[], object]) -> str:
    """The sentence of a policy that said no; "" when it was done."""
    try:
        with transaction.atomic():
            act()
    except PolicyRefused as refusal:
        return refusal.sentence
    return ""


def _person(request: HttpRequest, person_id: int) -> User:
    """A foreign one is not there, as one that does not exist."""
    found = selectors.people_of(acting_of(request).organisation).filter(pk=person_id).first()
    if found is None:
        raise Http404
    return found
