"""Applications in the administration: made, changed, given secrets and revoked by managers and engineers."""

import warnings
from collections.abc import Callable
from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.html import format_html, format_html_join
from joserfc.errors import JoseError, SecurityWarning
from joserfc.jwk import ECKey, KeySet, RSAKey

from bars_portal.accounts.acting import acting_in, actor_of
from bars_portal.accounts.admin import JudgedAgain
from bars_portal.accounts.decorators import requires_step_up
from bars_portal.accounts.models import User
from bars_portal.accounts.permissions import PolicyRefused
from bars_portal.api.models import Application
from bars_portal.api.operations import STATABLE, Scope
from bars_portal.api.services import (
    change_application,
    create_application,
    create_secret,
    revoke_application,
    revoke_oldest_secret,
)
from bars_portal.api.usage import usage_of
from bars_portal.api.webhooks import admin as webhooks_admin  # noqa: F401 - registers its pages
from bars_portal.audit.staff_lists import DaysFilter, DoneFilter, confirmed
from bars_portal.audit.staff_pages import StaffAdmin, acts_for, administers_everything
from bars_portal.nhsuk.dates import format_date

_KEYS_HELP = (
    "For private_key_jwt: public keys as PEM, one after another, or a JWK set. Two at a time while one is "
    "replaced by the next."
)
_SMALLEST_RSA_BITS = 2048
_DAYS_SHOWN = 14
_USAGE_TABLE = (
    '<table><thead><tr><th scope="col">Day</th><th scope="col">Requests</th>'
    '<th scope="col">Refused (4xx)</th><th scope="col">Failed (5xx)</th>'
    '<th scope="col">95% within, ms</th></tr></thead><tbody>{}</tbody></table>'
)
_PEM_END = "-----END PUBLIC KEY-----"


class ServiceIdsField(forms.CharField):
    """DoS service ids with blanks, commas or lines between."""

    widget = forms.Textarea

    def to_python(self, value: Any) -> list[str]:  # type: ignore[override]  # a list of texts
        ids = str(value or "").replace(",", " ").split()
        if any(not (each.isascii() and each.isdigit() and len(each) <= 20) for each in ids):
            raise ValidationError("DoS service ids are up to 20 digits each.")
        return list(dict.fromkeys(ids))

    def prepare_value(self, value: Any) -> str:
        return "\n".join(value) if isinstance(value, list) else str(value or "")


class PublicKeysField(forms.CharField):
    """Cleans to a JWK set as a dict, or None."""

    widget = forms.Textarea

    def to_python(self, value: Any) -> Any:
        text = str(value or "").strip()
        if not text:
            return None
        try:
            with warnings.catch_warnings():
                # The library only warns of what is too short.
                warnings.simplefilter("error", SecurityWarning)
                found = _keys_in(text)
        except SecurityWarning:
            raise ValidationError(f"RSA keys must have {_SMALLEST_RSA_BITS} bits or more.") from None
        except (JoseError, ValueError, TypeError, KeyError):
            raise ValidationError("Enter public keys as PEM, or a JWK set.") from None
        if any(not isinstance(each, RSAKey | ECKey) or each.is_private for each in found):
            raise ValidationError("Enter public RSA or elliptic-curve keys only, never a private one.")
        return {"keys": [each.as_dict(private=False) for each in found]}

    def prepare_value(self, value: Any) -> Any:
        return forms.JSONField().prepare_value(value) if isinstance(value, dict) else value


def _keys_in(text: str) -> list[Any]:
    if text.startswith("{"):
        given = forms.JSONField().to_python(text)
        return list(KeySet.import_key_set(given if "keys" in given else {"keys": [given]}).keys)
    pems = [f"{part.strip()}\n{_PEM_END}\n" for part in text.split(_PEM_END) if part.strip()]
    found = [_any_key(pem) for pem in pems]
    for each in found:
        each.ensure_kid()
    return found


def _any_key(pem: str) -> Any:
    """A PEM of a public key does not say of which kind it is."""
    try:
        return RSAKey.import_key(pem)
    except (JoseError, ValueError, TypeError):
        return ECKey.import_key(pem)


class ApplicationForm(forms.ModelForm):  # type: ignore[type-arg]  # no generics at run time
    scopes = forms.MultipleChoiceField(
        choices=[(each.value, f"{each.value}: {each.words}") for each in Scope],
        widget=forms.CheckboxSelectMultiple,
        label="What it may do",
        help_text="No more than it needs: a secret that is lost gives all of it away.",
    )
    roles = forms.MultipleChoiceField(
        choices=[(each.value, each.label) for each in STATABLE],
        widget=forms.CheckboxSelectMultiple,
        required=False,
        label="Roles that it may state",
        help_text="In X-Acting-User, for the people who use it. None: it never speaks for a person.",
    )
    service_ids = ServiceIdsField(
        required=False,
        label="Services that it may act for",
        help_text="DoS service ids, one a line. Empty: all that the organisation may.",
    )
    public_keys = PublicKeysField(required=False, help_text=_KEYS_HELP)

    class Meta:
        model = Application
        fields = (
            "organisation",
            "name",
            "owner",
            "scopes",
            "roles",
            "service_ids",
            "requests_a_minute",
            "expires_at",
            "public_keys",
        )

    def _get_validation_exclusions(self) -> set[str]:
        """The organisation is part of what is judged, though most people do not choose it."""
        excluded: set[str] = super()._get_validation_exclusions()  # type: ignore[misc]  # the stubs have it not
        return excluded - {"organisation"}


_GETS_ANOTHER = "gets a new secret beside the one it has"
_LOSES_THE_OLDER = "loses the older of its secrets: whoever still uses that one is refused"
_IS_REVOKED = "is revoked: its tokens and webhooks end at once, and it cannot be brought back"


def _will(application: Application, words: str) -> str:
    return words if application.revoked_at is None else "stays revoked"


@admin.register(Application)
class ApplicationAdmin(JudgedAgain, StaffAdmin):
    owner = "organisation"
    purpose = "Programs that call the REST API for your organisation, their secrets and what they may."
    form = ApplicationForm
    list_display = ("name", "organisation", "owner", "expires_at", "revoked_at", "last_used_at")
    sortable_by = ("name", "expires_at", "revoked_at", "last_used_at")
    list_filter = (("revoked_at", DoneFilter), ("expires_at", DaysFilter))
    list_select_related = ("account", "organisation", "owner")
    search_fields = ("name", "account__username")
    search_help_text = "Part of the name, or a client id"
    labels = {
        "owner": "Who answers for it",
        "requests_a_minute": "Most requests a minute",
        "expires_at": "Ends",
        "created_at": "Made",
        "revoked_at": "Revoked",
        "last_used_at": "Last used",
        "client_id": "Client id",
    }
    help_texts = {
        "organisation": "It calls for this organisation and never for another.",
        "name": "So that people know which program it is.",
        "owner": "Somebody of the organisation, who is written to when something is wrong.",
        "requests_a_minute": "Above it the program is told to wait.",
        "expires_at": "From then its tokens are refused. Empty: no end.",
        "last_used_at": "To the minute.",
    }
    readonly_fields: ClassVar[tuple[str, ...]] = (
        "client_id",
        "standing_secrets",
        "created_at",
        "revoked_at",
        "last_used_at",
        "usage",
    )
    actions = ("new_secret", "drop_secret", "revoke")

    @admin.display(description="secrets")
    def standing_secrets(self, application: Application) -> str:
        standing = application.secrets.filter(revoked_at=None)
        told = (f"...{each.hint}, made {format_date(each.created_at)}" for each in standing)
        return ", ".join(told) or "None"

    @admin.display(description="usage")
    def usage(self, application: Application) -> str:
        """The last days as a table; all that is kept is in the API."""
        cells = ("<td>{}</td>" * 5).join(("<tr>", "</tr>"))
        rows = format_html_join(
            "",
            cells,
            (
                (format_date(each.day), each.requests, each.refused, each.failed, f"{each.milliseconds:,}")
                for each in usage_of(application, days=_DAYS_SHOWN)
            ),
        )
        return format_html(_USAGE_TABLE, rows) if rows else "None in the last 90 days"

    def get_readonly_fields(self, request: HttpRequest, obj: Application | None = None) -> tuple[str, ...]:
        # An application never changes hands.
        return self.readonly_fields if obj is None else ("organisation", *self.readonly_fields)

    def get_exclude(self, request: HttpRequest, obj: Application | None = None) -> Any:
        return () if obj is not None or administers_everything(request) else ("organisation",)

    def get_fieldsets(self, request: HttpRequest, obj: Application | None = None) -> Any:
        left_out = self.get_exclude(request, obj)
        kept = [
            ("Secrets and use", ("client_id", "standing_secrets", "last_used_at", "usage")),
            ("When it was made and revoked", ("created_at", "revoked_at")),
        ]
        return [
            (heading, {"fields": [name for name in names if name not in left_out]})
            for heading, names in (
                ("Application", ("name", "organisation", "owner")),
                ("What it may do", ("scopes", "roles", "service_ids")),
                ("How much, and until when", ("requests_a_minute", "expires_at")),
                ("How it proves who it is", ("public_keys",)),
                *(kept if obj is not None else ()),
            )
        ]

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Who answers for it is somebody of the organisation."""
        if db_field.name == "owner":
            people = User.objects.filter(is_active=True)
            if not administers_everything(request):
                people = people.filter(memberships__organisation=acts_for(request)).distinct()
            kwargs["queryset"] = people.order_by("last_name", "first_name", "username")
        field: Any = super().formfield_for_foreignkey(db_field, request, **kwargs)
        if db_field.name == "owner":
            # Two people may have one name.
            field.label_from_instance = lambda person: f"{person} ({person.username})"
        return field

    def has_change_permission(self, request: HttpRequest, obj: Application | None = None) -> bool:
        """What is revoked stays as it was."""
        return super().has_change_permission(request, obj) and (obj is None or obj.revoked_at is None)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        show = self._add if request.method == "POST" else super().add_view
        return show(request, form_url, extra_context)

    @method_decorator(requires_step_up)  # type: ignore[arg-type]  # its types know of no ParamSpec
    def _add(self, request: HttpRequest, form_url: str, extra_context: Any) -> HttpResponse:
        return super().add_view(request, form_url, extra_context)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """The organisation is there before the form judges whether it has an application of this name."""
        form, acting = super().get_form(request, obj, change, **kwargs), acting_in(request)
        if change or administers_everything(request) or acting is None:
            return form
        organisation = acting.organisation

        class OfOrganisation(form):  # type: ignore[misc, valid-type]  # made at run time
            def __init__(self, *args: Any, **options: Any) -> None:
                super().__init__(*args, **options)
                self.instance.organisation = organisation

        return OfOrganisation

    def save_model(self, request: HttpRequest, obj: Application, form: Any, change: bool) -> None:
        actor, now = actor_of(request), timezone.now()
        if change:
            change_application(application=obj, changed=form.changed_data, actor=actor, now=now)
        else:
            create_application(application=obj, actor=actor, now=now)

    def response_add(
        self, request: HttpRequest, obj: Application, post_url_continue: Any = None
    ) -> HttpResponse:
        """Its first secret at once, unless it signs assertions."""
        if obj.public_keys:
            return super().response_add(request, obj, post_url_continue)
        return self._with_secret(request, obj)

    @admin.action(description="Make a new secret for one application", permissions=["change"])
    @method_decorator(requires_step_up)  # type: ignore[arg-type]  # its types know of no ParamSpec
    @confirmed(lambda _page, _request, application: _will(application, _GETS_ANOTHER))
    def new_secret(self, request: HttpRequest, chosen: QuerySet[Application]) -> HttpResponse | None:
        application = self._only(request, chosen)
        if application is None:
            return None
        try:
            return self._with_secret(request, application)
        except PolicyRefused as refusal:
            messages.error(request, refusal.sentence)
            return None

    @admin.action(description="Take away the older of two secrets", permissions=["change"])
    @confirmed(lambda _page, _request, application: _will(application, _LOSES_THE_OLDER))
    def drop_secret(self, request: HttpRequest, chosen: QuerySet[Application]) -> None:
        self._each(request, chosen, revoke_oldest_secret, "The older secret is gone")

    @admin.action(description="Revoke for good", permissions=["change"])
    @confirmed(lambda _page, _request, application: _will(application, _IS_REVOKED))
    def revoke(self, request: HttpRequest, chosen: QuerySet[Application]) -> None:
        self._each(request, chosen, revoke_application, "Revoked")

    def _each(
        self, request: HttpRequest, chosen: QuerySet[Application], act: Callable[..., None], done: str
    ) -> None:
        for each in chosen:
            try:
                act(application=each, actor=actor_of(request), now=timezone.now())
                messages.success(request, f"{done}: {each.name}.")
            except PolicyRefused as refusal:
                messages.error(request, f"{each.name}: {refusal.sentence}")

    def _only(self, request: HttpRequest, chosen: QuerySet[Application]) -> Application | None:
        found = list(chosen.select_related("account")[:2])
        if len(found) != 1:
            messages.error(request, "Choose one application: its secret is shown once.")
            return None
        return found[0]

    def _with_secret(self, request: HttpRequest, application: Application) -> HttpResponse:
        """Shown in the answer itself: kept in no session, cookie or address."""
        secret = create_secret(application=application, actor=actor_of(request), now=timezone.now())
        context = {
            **self.admin_site.each_context(request),
            "title": f"The secret of {application.name}",
            "application": application,
            "secret": secret,
            "opts": self.opts,
        }
        return render(request, "admin/api/secret.html", context, using="django")
