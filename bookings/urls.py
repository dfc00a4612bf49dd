"""The booking pages. No address names a patient."""

from django.urls import path

from bookings.views import bookings, cancelling, clinics, diary, drafting, running, searching

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
    path("diary/", diary.diary, name="diary"),
    path("diary/list/", diary.clinic_list, name="clinic-list"),
    path("diary/file/", diary.as_csv, name="diary-csv"),
    path("diary/block/", diary.block, name="block"),
    path("diary/block/<int:block_id>/free/", diary.free_block, name="free-block"),
    path("diary/add/", diary.add, name="add-slots"),
    path("diary/calls/", running.calls, name="calls"),
    path("diary/calls/<uuid:call_id>/made/", running.made_call, name="made-call"),
    path("diary/feeds/", running.feeds, name="feeds"),
    path("diary/feeds/<uuid:feed_id>/close/", running.close_feed, name="close-feed"),
    path("diary/capacity/", running.capacity, name="capacity"),
    path("diary/capacity/<int:alarm_id>/end/", running.end_capacity_alarm, name="end-capacity-alarm"),
    path("diary/feed/", running.feed, name="feed"),
    path("diary/<uuid:booking_id>/", bookings.received, name="received"),
    path("diary/<uuid:booking_id>/move/", running.move, name="move"),
    path("diary/<uuid:booking_id>/cancel/", running.cancel, name="cancel-received"),
    path("diary/<uuid:booking_id>/attendance/", running.attendance, name="attendance"),
    path("diary/<uuid:booking_id>/note/", running.note, name="note"),
    path("clinics/", clinics.clinics, name="clinics"),
    path("clinics/new/", clinics.new, name="new-clinic"),
    path("clinics/<uuid:clinic_id>/", clinics.clinic, name="clinic"),
    path("clinics/<uuid:clinic_id>/change/", clinics.change, name="change-clinic"),
    path("clinics/<uuid:clinic_id>/undo/", clinics.undo, name="undo-clinic"),
    path("clinics/<uuid:clinic_id>/switch/", clinics.switch_clinic, name="switch-clinic"),
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
