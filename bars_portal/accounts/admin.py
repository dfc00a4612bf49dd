"""People and organisations in the admin; and pages of patient records, where each look is recorded."""

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.models import Group
from django.db import transaction
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from bars_portal.accounts.acting import actor_of
from bars_portal.accounts.models import Cis2Identity, Membership, Organisation, User
from bars_portal.audit.admin import ReadOnlyAdmin
from bars_portal.audit.services import record


def _record(
    request: HttpRequest, action: str, subject: Model | None = None, **detail: str | int | None
) -> None:
    record(actor=actor_of(request), action=action, subject=subject, detail=detail, now=timezone.now())


class AuditedReadOnlyAdmin(ReadOnlyAdmin):
    """Read-only, and records `<app>.view_<model>` for one record and `<app>.view_list` for the list."""

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        response = super().change_view(request, object_id, form_url, extra_context)
        shown = self.get_object(request, object_id) if response.status_code == 200 else None
        if shown is not None:
            _record(request, f"{self.opts.app_label}.view_{self.opts.model_name}", shown)
        return response

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        response = super().changelist_view(request, extra_context)
        _record(request, f"{self.opts.app_label}.view_list", of=self.opts.model_name)
        return response


if TYPE_CHECKING:
    _Inline = admin.TabularInline[Membership, User]
    _IdentityInline = admin.TabularInline[Cis2Identity, User]
    _UserAdmin = UserAdmin[User]
    _OrganisationAdmin = admin.ModelAdmin[Organisation]
else:
    _Inline = _IdentityInline = admin.TabularInline
    _UserAdmin, _OrganisationAdmin = UserAdmin, admin.ModelAdmin

# Roles are memberships: groups would be a second, silent way to say who may do what.
admin.site.unregister(Group)


class RecordedAdmin:
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


class MembershipInline(_Inline):
    model = Membership
    extra = 0
    autocomplete_fields = ("organisation",)


class Cis2IdentityInline(_IdentityInline):
    """Linking an account to NHS CIS2: who signs in with that user id is this person."""

    model = Cis2Identity
    extra = 0


@admin.register(User)
class PersonAdmin(RecordedAdmin, _UserAdmin):
    inlines = (MembershipInline, Cis2IdentityInline)
    list_display = ("username", "first_name", "last_name", "is_active", "is_superuser")
    list_filter = ("is_active", "is_superuser", "memberships__role", "memberships__organisation")
    filter_horizontal = ()
    readonly_fields = ("last_login", "date_joined")
    fieldsets = (
        (None, {"fields": ("username", "password")}),
        ("Person", {"fields": ("first_name", "last_name", "email")}),
        ("Role on the Spine", {"fields": ("sds_role_profile_id", "role_code", "role_display")}),
        ("Access", {"fields": ("is_active", "is_superuser", "last_login", "date_joined")}),
    )
    # A person who left is made inactive: the trail keeps pointing at them.
    actions = None

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @transaction.atomic
    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> HttpResponse:
        """A page of its own, which saves past `save_model`."""
        before = self.get_object(request, unquote(id))
        response = super().user_change_password(request, id, form_url)
        after = self.get_object(request, unquote(id))
        if before is not None and after is not None and before.password != after.password:
            _record(request, _action("set_password_of", after), after)
        return response

    def get_inlines(self, request: HttpRequest, obj: User | None) -> Any:
        """An account is linked once it is there."""
        return self.inlines if obj is not None else (MembershipInline,)


@admin.register(Organisation)
class OrganisationAdmin(RecordedAdmin, _OrganisationAdmin):
    list_display = ("name", "ods_code", "phone")
    search_fields = ("name", "ods_code")
    actions = None
