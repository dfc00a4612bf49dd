"""The referral pages. No address names a patient."""

from django.urls import include, path

from referrals.views import (
    answer_pages,
    answering,
    given_up,
    journey,
    linking,
    paper,
    received,
    replies,
    saved_filters,
    sent,
    working,
    worklist,
)

app_name = "referrals"

_CASE = "received/<uuid:case_id>/"
_SENT = "sent/<uuid:case_id>/"
urlpatterns = [
    path("worklist/", worklist.worklist, name="worklist"),
    path("worklist/news/", worklist.news, name="news"),
    path("worklist/filters/", saved_filters.save, name="save-filter"),
    path("worklist/filters/<int:filter_id>/", saved_filters.rename, name="rename-filter"),
    path("worklist/filters/<int:filter_id>/delete/", saved_filters.delete, name="delete-filter"),
    path("replies/<uuid:reply_id>/", replies.reply, name="reply"),
    path("replies/<uuid:reply_id>/handled/", replies.handled, name="reply-handled"),
    path(_CASE, received.received, name="received"),
    path(f"{_CASE}status/", received.received_status, name="received-status"),
    path(f"{_CASE}pdf/", paper.case_pdf, name="case-pdf"),
    path(f"{_CASE}versions/<int:number>/", received.version, name="version"),
    path(f"{_CASE}appointments/", linking.link_booking, name="link-booking"),
    path(f"{_CASE}appointments/<uuid:booking_id>/undo/", linking.unlink_booking, name="unlink-booking"),
    path("appointments/<uuid:booking_id>/referrals/", linking.link_referral, name="link-referral"),
    path(f"{_CASE}take/", working.take, name="take"),
    path(f"{_CASE}release/", working.release, name="release"),
    path(f"{_CASE}note/", working.note, name="note"),
    path(f"{_CASE}accept/", answering.accept, name="accept"),
    path(f"{_CASE}start/", answering.start, name="start"),
    path(f"{_CASE}reject/", answer_pages.reject, name="reject"),
    path(f"{_CASE}outcome/", answer_pages.outcome, name="outcome"),
    path(f"{_CASE}complete/", answer_pages.complete, name="complete"),
    path(f"{_CASE}did-not-attend/", answer_pages.did_not_attend, name="did-not-attend"),
    path(f"{_CASE}cad-status/", answer_pages.cad_status, name="cad-status"),
    path("answers/<uuid:answer_id>/check-again/", working.check_answer, name="check-answer"),
    path("answers/<uuid:answer_id>/send-again/", working.send_answer, name="send-answer"),
    path("sent/", sent.sent_list, name="sent"),
    path(_SENT, sent.sent_case, name="sent-case"),
    path(f"{_SENT}replies/<int:reply_id>/", sent.case_reply, name="case-reply"),
    path(f"{_SENT}status/", sent.sent_status, name="sent-status"),
    path(f"{_SENT}news/", sent.sent_news, name="sent-news"),
    path(f"{_SENT}check-again/", sent.check_case_again, name="check-again"),
    path(f"{_SENT}take-back/", sent.take_back, name="take-back"),
    path("given-up/", given_up.given_up, name="given-up"),
    path("journeys/<uuid:journey_id>/", journey.journey, name="journey"),
    path("journeys/<uuid:journey_id>/messages/<uuid:message_id>/", journey.sent_message, name="sent-message"),
    path("requests/", include("referrals.request_urls")),
]
