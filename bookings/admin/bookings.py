"""Bookings in the admin: shown, never changed, because the exchange owns their state."""

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from bars_portal.accounts.audited import AuditedReadOnlyAdmin
from bookings.admin.base import acting_in, sees_everything
from bookings.models import Booking, BookingStatusChange
from bookings.states import Direction

if TYPE_CHECKING:
    _Inline = admin.TabularInline[BookingStatusChange, Booking]
else:
    _Inline = admin.TabularInline

# Who may know who the patient is: those who see received bookings or patient records.
_KNOW_PATIENTS = ("bookings.view_received_bookings", "patients.view_patient")


class HistoryInline(_Inline):
    model = BookingStatusChange
    template = "admin/read_only_rows.html"
    fields = ("at", "event", "from_status", "to_status", "actor_label", "note")
    readonly_fields = fields
    ordering = ("at", "id")
    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """With the booking itself: the history has no permission of its own."""
        return request.user.has_perm("bookings.view_booking")


@admin.register(Booking)
class BookingAdmin(AuditedReadOnlyAdmin):
    """What is searched for is in the address: references and ids only, never a name."""

    list_display = ("shown_reference", "direction", "status", "service", "start", "sender_name", "created_at")
    list_filter = ("direction", "status", ("service", admin.RelatedOnlyFieldListFilter), "start")
    list_select_related = ("service",)
    search_fields = ("=reference", "=id", "=remote_id", "=journey__correlation_id")
    search_help_text = "A whole reference, an appointment id, or a correlation id"
    inlines = (HistoryInline,)
    _facts = (
        "shown_reference",
        "direction",
        "status",
        "service",
        "start",
        "end",
        "use_case",
        "sender_name",
        "sender_ods_code",
        "explanation",
        "patient_told_at",
        "version",
        "created_at",
        "updated_at",
    )
    readonly_fields = (*_facts, "patient_name")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """The name is there for people who may know it, and not there for others: no mask to see through."""
        known = any(request.user.has_perm(each) for each in _KNOW_PATIENTS)
        return ("patient_name", *self._facts) if known else self._facts

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows = super().get_queryset(request).select_related("patient")
        if sees_everything(request):
            return rows
        acting = acting_in(request)
        if acting is None:
            return rows.none()
        own = rows.filter(organisation=acting.organisation)
        # Managers run their services; what clinicians book elsewhere is not their affair.
        sent_too = acting.may("bookings.view_sent_bookings")
        return own if sent_too else own.filter(direction=Direction.RECEIVED)

    @admin.display(description="reference")
    def shown_reference(self, booking: Booking) -> str:
        return booking.reference or "none given"

    @admin.display(description="patient")
    def patient_name(self, booking: Booking) -> str:
        names = f"{booking.patient.family_name.upper()}, {booking.patient.given_names}".strip(", ")
        return names or "Not stated"
