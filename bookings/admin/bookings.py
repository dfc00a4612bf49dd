"""Bookings in the admin: shown, never changed, because the exchange owns their state."""

from django.contrib import admin

from bars_portal.correspondence.admin import PatientRecordAdmin, ShownRows
from bookings.models import Booking, BookingStatusChange


class HistoryInline(ShownRows, admin.TabularInline):  # type: ignore[type-arg]  # no generics at run time
    # With the booking itself: the history has no permission of its own.
    shown_with = ("bookings.view_booking",)
    model = BookingStatusChange
    template = "admin/read_only_rows.html"
    fields = ("at", "event", "from_status", "to_status", "actor_label", "note")
    readonly_fields = fields
    ordering = ("at", "id")


@admin.register(Booking)
class BookingAdmin(PatientRecordAdmin):
    """What is searched for is in the address: references and ids only, never a name."""

    list_display = ("shown_reference", "direction", "status", "service", "start", "sender_name", "created_at")
    sortable_by = ("direction", "status", "start", "sender_name", "created_at")
    list_filter = ("direction", "status", ("service", admin.RelatedOnlyFieldListFilter), "start")
    list_select_related = ("service",)
    search_fields = ("=reference", "=id", "=remote_id", "=journey__correlation_id")
    search_help_text = "A whole reference, an appointment id, or a correlation id"
    inlines = (HistoryInline,)
    # Who may know who the patient is: those who see received bookings or patient records.
    knows_patients = ("bookings.view_received_bookings", "patients.view_patient")
    sees_sent = "bookings.view_sent_bookings"
    facts = (
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
