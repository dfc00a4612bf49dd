"""People and organisations in the admin: of the own organisation, and changed by superusers alone."""

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.models import Group
from django.db import IntegrityError, transaction
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.decorators import method_decorator

from bars_portal.accounts.acting import actor_of
from bars_portal.accounts.decorators import requires_step_up
from bars_portal.accounts.models import Cis2Identity, Membership, Organisation, User
from bars_portal.accounts.people.selectors import people_named
from bars_portal.accounts.permissions import Role
from bars_portal.audit.services import record
from bars_portal.audit.staff_pages import StaffAdmin, acts_for, administers_everything


def _record(
    request: HttpRequest, action: str, subject: Model | None = None, **detail: str | int | None
) -> None:
    record(actor=actor_of(request), action=action, subject=subject, detail=detail, now=timezone.now())


class JudgedAgain:
    """For pages that write: a row that breaks a constraint although its form was good is judged once more.

    Somebody was first in between. Their row is there now, so the form says in words what is wrong, with all
    that was typed.
    """

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        show = super().changeform_view  # type: ignore[misc]  # a mixin of ModelAdmin
        try:
            response: HttpResponse = show(request, *args, **kwargs)
        except IntegrityError:
            response = show(request, *args, **kwargs)
        return response


if TYPE_CHECKING:
    _Inline = admin.TabularInline[Membership, User]
    _IdentityInline = admin.TabularInline[Cis2Identity, User]
    _UserAdmin = UserAdmin[User]
else:
    _Inline = _IdentityInline = admin.TabularInline
    _UserAdmin = UserAdmin

# Roles are memberships: groups would be a second, silent way to say who may do what.
admin.site.unregister(Group)


class RecordedAdmin(JudgedAgain):
    """Each change of a person or an organisation is an audit event, in the change's own transaction."""

    def save_model(self, request: HttpRequest, obj: Model, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)  # type: ignore[misc]  # a mixin of ModelAdmin
        verb = "change" if change else "create"
        _record(request, _action(verb, obj), obj, fields=len(form.changed_data))

    def delete_model(self, request: HttpRequest, obj: Model) -> None:
        _record(request, _action("delete", obj), obj)
        super().delete_model(request, obj)  # type: ignore[misc]  # a mixin of ModelAdmin


def _action(verb: str, obj: Model) -> str:
    return f"accounts.{verb}_{obj._meta.model_name}"


def _held_here(request: HttpRequest) -> QuerySet[Membership]:
    """Roles of people in the organisation that somebody acts for."""
    organisation_id = acts_for(request)
    held = Membership.objects
    return held.none() if organisation_id is None else held.filter(organisation_id=organisation_id)


class MembershipInline(_Inline):
    model = Membership
    extra = 0
    autocomplete_fields = ("organisation",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Membership]:
        """What somebody does elsewhere is nobody's business here."""
        rows = super().get_queryset(request)
        return rows if administers_everything(request) else rows.filter(pk__in=_held_here(request))


class Cis2IdentityInline(_IdentityInline):
    """Linking an account to NHS CIS2: who signs in with that user id is this person."""

    model = Cis2Identity
    extra = 0


class RoleFilter(admin.SimpleListFilter):
    """By the roles that people have in the organisation acted for; for superusers in any."""

    title = parameter_name = "role"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(role.value, role.label) for role in Role]

    def queryset(self, request: HttpRequest, queryset: QuerySet[User]) -> QuerySet[User]:
        if not self.value():
            return queryset
        held = Membership.objects.all() if administers_everything(request) else _held_here(request)
        return queryset.filter(pk__in=held.filter(role=self.value()).values("user"))


@admin.register(User)
class PersonAdmin(RecordedAdmin, StaffAdmin, _UserAdmin):
    owner = "memberships__organisation"
    whose = "people of the organisation acted for"
    called = "Accounts"
    purpose = "What is kept of whoever signs in. To invite people and change roles, use People."
    inlines = (MembershipInline, Cis2IdentityInline)
    list_display = ("username", "first_name", "last_name", "is_active", "is_superuser")
    sortable_by = list_display
    list_filter = ("is_active", "is_superuser", RoleFilter)
    filter_horizontal = ()
    readonly_fields = ("last_login", "date_joined")
    fieldsets = (
        (None, {"fields": ("username", "password")}),
        ("Person", {"fields": ("first_name", "last_name", "email")}),
        (
            "Role on the Spine",
            {
                "fields": ("sds_role_profile_id", "role_code", "role_display"),
                "description": "Sent with messages as the role of whoever asks, where it is known.",
            },
        ),
        ("Access", {"fields": ("is_active", "is_superuser", "last_login", "date_joined")}),
    )
    search_help_text = "A name, a username or an email address"
    labels = {
        "is_active": "May sign in",
        "is_superuser": "Administers the installation",
        "role_display": "Role in words",
        "date_joined": "Account made",
    }
    help_texts = {
        "username": "What the person signs in with.",
        "email": "For invitations and warnings about the account.",
        "sds_role_profile_id": "Of the person's smartcard or CIS2 profile.",
        "role_code": "The SNOMED code of the role.",
        "is_active": "Whoever left is not deleted: the trail keeps pointing at them.",
        "is_superuser": "May do everything, for every organisation. Their acts are on the trail.",
    }
    # A person who left is made inactive: the trail keeps pointing at them.
    actions = None

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def seen(self, request: HttpRequest) -> Q:
        return Q(pk__in=_held_here(request).values("user"))

    def owner_of(self, row: User) -> int | None:
        """A person may belong to many: the one that somebody acts for is told."""
        return None

    def get_fieldsets(self, request: HttpRequest, obj: User | None = None) -> Any:
        """Who only reads has no use for what a password is kept as."""
        shown = super().get_fieldsets(request, obj)
        if obj is None or administers_everything(request):
            return shown
        return [(None, {"fields": ("username",)}), *shown[1:]]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[User], search_term: str
    ) -> tuple[QuerySet[User], bool]:
        return people_named(queryset, search_term), False

    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> HttpResponse:
        """A page of its own, which saves past `save_model`. Who may not at all is not asked who they are."""
        person = self.get_object(request, unquote(id))
        may = person is not None and self.has_change_permission(request, person)
        show = self._set_password if may else super().user_change_password
        return show(request, id, form_url)

    @method_decorator(requires_step_up)  # type: ignore[arg-type]  # its types know of no ParamSpec
    @transaction.atomic
    def _set_password(self, request: HttpRequest, id: str, form_url: str) -> HttpResponse:
        before = self.get_object(request, unquote(id))
        response = super().user_change_password(request, id, form_url)
        after = self.get_object(request, unquote(id))
        if before is not None and after is not None and before.password != after.password:
            _record(request, _action("set_password_of", after), after)
        return response

    def get_inline_instances(self, request: HttpRequest, obj: User | None = None) -> Any:
        """Who only reads gets a table of words, not one of boxes that cannot be typed in."""
        shown = super().get_inline_instances(request, obj)
        for each in shown:
            if not each.has_change_permission(request, obj):
                each.template = "admin/read_only_rows.html"
        return shown

    def get_inlines(self, request: HttpRequest, obj: User | None) -> Any:
        """An account is linked once it is there."""
        return self.inlines if obj is not None else (MembershipInline,)


@admin.register(Organisation)
class OrganisationAdmin(RecordedAdmin, StaffAdmin):
    owner = "pk"
    purpose = "By ODS code: who runs services here, and who sends."
    list_display = ("name", "ods_code", "phone")
    sortable_by = list_display
    search_fields = ("name", "ods_code")
    search_help_text = "Part of the name or of the ODS code"
    fieldsets = ((None, {"fields": ("name", "ods_code", "phone")}),)
    help_texts = {
        "ods_code": "Of the Organisation Data Service. Messages name the organisation by it.",
        "phone": "For people of other organisations who have to ring.",
    }
    actions = None
