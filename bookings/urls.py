"""The booking pages. No address names a patient."""

from django.urls import path

from bookings.views import bookings, cancelling, drafting, searching

app_name = "bookings"

urlpatterns = [
    path("", bookings.sent_list, name="list"),
    path("compare/", searching.compare, name="compare"),
    path("services/<str:service_id>/times/", searching.slots, name="slots"),
    path("services/<str:service_id>/ask-again/", searching.ask_again, name="ask-again"),
    path("drafts/<uuid:draft_id>/patient/", drafting.patient, name="patient"),
    path("drafts/<uuid:draft_id>/check/", drafting.check, name="check"),
    path("drafts/<uuid:draft_id>/rebook/", cancelling.confirm, name="rebook-confirm"),
    path("drafts/<uuid:draft_id>/approval/", drafting.approval, name="approval"),
    path("drafts/<uuid:draft_id>/discard/", drafting.discard, name="discard"),
    path("diary/", bookings.diary, name="diary"),
    path("diary/<uuid:booking_id>/", bookings.received, name="received"),
    path("<uuid:booking_id>/", bookings.detail, name="detail"),
    path("<uuid:booking_id>/status/", bookings.status, name="status"),
    path("<uuid:booking_id>/check-again/", bookings.check_booking_again, name="check-again"),
    path("<uuid:booking_id>/ask-again/", cancelling.ask_again, name="ask-service-again"),
    path("<uuid:booking_id>/accept/", cancelling.accept, name="accept"),
    path("<uuid:booking_id>/no-longer-wanted/", cancelling.no_longer_wanted, name="no-longer-wanted"),
    path("<uuid:booking_id>/told/", bookings.told, name="told"),
    path("<uuid:booking_id>/cancel/", cancelling.cancel, name="cancel"),
    path("<uuid:booking_id>/rebook/", cancelling.choose, name="rebook"),
]
