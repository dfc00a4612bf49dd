"""The booking pages. No address names a patient."""

from django.urls import path

from bookings.views import approving, asking, cancelling, diary, drafting, rebooking, searching, sent

app_name = "bookings"

urlpatterns = [
    path("", sent.sent_list, name="list"),
    path("services/<str:service_id>/times/", searching.slots, name="slots"),
    path("services/<str:service_id>/ask-again/", asking.ask_again, name="ask-again"),
    path("drafts/<uuid:draft_id>/patient/", drafting.patient, name="patient"),
    path("drafts/<uuid:draft_id>/check/", drafting.check, name="check"),
    path("drafts/<uuid:draft_id>/rebook/", rebooking.confirm, name="rebook-confirm"),
    path("drafts/<uuid:draft_id>/approval/", approving.approval, name="approval"),
    path("drafts/<uuid:draft_id>/discard/", drafting.discard, name="discard"),
    path("diary/", diary.diary, name="diary"),
    path("diary/<uuid:booking_id>/", diary.received, name="received"),
    path("<uuid:booking_id>/", sent.detail, name="detail"),
    path("<uuid:booking_id>/status/", sent.status, name="status"),
    path("<uuid:booking_id>/check-again/", sent.check_booking_again, name="check-again"),
    path("<uuid:booking_id>/told/", sent.told, name="told"),
    path("<uuid:booking_id>/cancel/", cancelling.cancel, name="cancel"),
    path("<uuid:booking_id>/rebook/", rebooking.choose, name="rebook"),
]
