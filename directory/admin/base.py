"""What the staff pages of the directory share: who is there, and how changes are saved."""

from typing import Any, ClassVar

from django.contrib import admin
from django.http import HttpRequest

from bars_portal.accounts.acting import Acting


def acting_in(request: HttpRequest) -> Acting | None:
    return getattr(request, "acting", None)


def administers_everything(request: HttpRequest) -> bool:
    """Superusers set the installation up; they need not belong to an organisation."""
    return bool(getattr(request.user, "is_superuser", False))


class DirectoryAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # no generics at run time
    """Rows are fixed to `fixed_fields` once they are there, and never deleted: messages point at them."""

    fixed_fields: ClassVar[tuple[str, ...]] = ()
    always_fixed: ClassVar[tuple[str, ...]] = ()

    def may_change(self, row: Any, acting: Acting | None) -> bool:
        raise NotImplementedError

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return self.always_fixed if obj is None else (*self.fixed_fields, *self.always_fixed)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        if not super().has_change_permission(request, obj):
            return False
        return obj is None or administers_everything(request) or self.may_change(obj, acting_in(request))

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
