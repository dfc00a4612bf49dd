"""Bookings in the admin: shown, never changed, because the exchange owns their state."""

from django.contrib import admin

from bars_portal.audit.staff_pages import DaysFilter
from bars_portal.correspondence.admin import PatientRecordAdmin, ShownRows
from bookings.models import Booking, BookingStatusChange


class HistoryInline(ShownRows, admin.TabularInline):  # type: ignore[type-arg]  # no generics at run time
    # With the booking itself: the history has no permission of its own.
    shown_with = ("bookings.view_booking",)
    model = BookingStatusChange
    fields = ("at", "event", "from_status", "to_status", "actor_label", "note")
    readonly_fields = fields
    ordering = ("at", "id")


@admin.register(Booking)
class BookingAdmin(PatientRecordAdmin):
    purpose = "Every appointment that was asked for, with its history."
    list_display = ("shown_reference", "direction", "status", "start", "service", "sender_name", "created_at")
    sortable_by = ("direction", "status", "start", "sender_name", "created_at")
    list_filter = (
        ("start", DaysFilter),
        *("status", "direction", ("service", admin.RelatedOnlyFieldListFilter)),
    )
    list_select_related = ("service",)
    search_fields = ("=reference", "=id", "=remote_id", "=journey__correlation_id")
    search_help_text = (
        "The patient's name or NHS number, a whole reference, an appointment id or a correlation id"
    )
    inlines = (HistoryInline,)
    # Who may know who the patient is: those who see received bookings or patient records.
    knows_patients = ("bookings.view_received_bookings", "patients.view_patient")
    sees_sent = "bookings.view_sent_bookings"
    facts = (
        ("Appointment", ("shown_reference", "status", "service", "start", "end")),
        ("Who booked", ("direction", "sender_name", "sender_ods_code", "use_case")),
        ("What became of it", ("explanation", "patient_told_at")),
        ("This record", ("version", "created_at", "updated_at")),
    )
    labels = {
        "start": "Starts",
        "end": "Ends",
        "use_case": "Use case",
        "explanation": "What was said",
        "patient_told_at": "Patient told",
        "version": "Version",
        "created_at": "Made",
        "updated_at": "Last changed",
    }
    help_texts = {
        "status": "As our people see it; what the other side has been told is in the messages.",
        "direction": "Received: others booked with your service. Sent: your people booked elsewhere.",
        "sender_ods_code": "Of the organisation that booked.",
        "use_case": "The code of the Booking and Referral Standard for the way that this booking goes.",
        "explanation": "Why it was refused, or is not known, in words.",
        "patient_told_at": "When somebody recorded that the patient knows.",
        "version": "How often it was changed.",
    }
