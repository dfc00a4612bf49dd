"""The referral pages. No address names a patient."""

from django.urls import include, path

from referrals.journey import views as journey
from referrals.pages import duties, local, messages, paper, received, sent
from referrals.responding import views as responding
from referrals.sending.views import begin, steps
from referrals.worklist import views as worklist

app_name = "referrals"

_CASE = "received/<uuid:case_id>/"
_SENT = "sent/<uuid:case_id>/"
_REQUESTS = [
    path("", begin.drafts, name="drafts"),
    path("new/", begin.new, name="new"),
    path("services/<str:service_id>/ask-again/", begin.ask_again, name="ask-again"),
    path("sent/<uuid:case_id>/", steps.outcome, name="confirmation"),
    path("sent/<uuid:case_id>/status/", steps.outcome_status, name="confirmation-status"),
    path("sent/<uuid:case_id>/check-again/", steps.outcome_again, name="confirmation-check-again"),
    path("<uuid:draft_id>/", steps.tasks, name="request"),
    path("<uuid:draft_id>/patient/", steps.patient, name="request-patient"),
    path("<uuid:draft_id>/check/", steps.check, name="request-check"),
    path("<uuid:draft_id>/discard/", begin.discard, name="request-discard"),
    path("<uuid:draft_id>/<slug:slug>/", steps.step, name="request-step"),
]
urlpatterns = [
    path("worklist/", worklist.worklist, name="worklist"),
    path("worklist/news/", worklist.news, name="news"),
    path("worklist/filters/", worklist.save, name="save-filter"),
    path("worklist/filters/<int:filter_id>/", worklist.rename, name="rename-filter"),
    path("worklist/filters/<int:filter_id>/delete/", worklist.delete, name="delete-filter"),
    path("tasks/", duties.duties, name="duties"),
    path("tasks/<uuid:duty_id>/", duties.duty, name="duty"),
    path("tasks/<uuid:duty_id>/take/", duties.take, name="take-duty"),
    path("tasks/<uuid:duty_id>/give-back/", duties.give_back, name="give-back-duty"),
    path("replies/", worklist.unmatched, name="replies"),
    path("replies/<uuid:reply_id>/", messages.reply, name="reply"),
    path("replies/<uuid:reply_id>/handled/", messages.handled, name="reply-handled"),
    path(_CASE, received.received, name="received"),
    path(f"{_CASE}status/", received.received_status, name="received-status"),
    path(f"{_CASE}pdf/", paper.case_pdf, name="case-pdf"),
    path(f"{_CASE}versions/<int:number>/", received.version, name="version"),
    path(f"{_CASE}appointments/", local.link_booking, name="link-booking"),
    path(f"{_CASE}appointments/<uuid:booking_id>/undo/", local.unlink_booking, name="unlink-booking"),
    path("appointments/<uuid:booking_id>/referrals/", local.link_referral, name="link-referral"),
    path(f"{_CASE}take/", responding.take, name="take"),
    path(f"{_CASE}release/", responding.release, name="release"),
    path(f"{_CASE}note/", received.note, name="note"),
    path(f"{_CASE}place/", local.place, name="place"),
    path(f"{_CASE}attempts/", local.attempt, name="attempt"),
    path(f"{_CASE}accept/", responding.accept, name="accept"),
    path(f"{_CASE}start/", responding.start, name="start"),
    path(f"{_CASE}reject/", responding.reject, name="reject"),
    path(f"{_CASE}outcome/", responding.outcome, name="outcome"),
    path(f"{_CASE}complete/", responding.complete, name="complete"),
    path(f"{_CASE}did-not-attend/", responding.did_not_attend, name="did-not-attend"),
    path(f"{_CASE}cad-status/", responding.cad_status, name="cad-status"),
    path("answers/<uuid:answer_id>/check-again/", responding.check_response, name="check-answer"),
    path("answers/<uuid:answer_id>/send-again/", responding.send_response, name="send-answer"),
    path("sent/", worklist.sent_list, name="sent"),
    path(_SENT, sent.sent_case, name="sent-case"),
    path(f"{_SENT}replies/<int:reply_id>/", sent.case_reply, name="case-reply"),
    path(f"{_SENT}status/", sent.sent_status, name="sent-status"),
    path(f"{_SENT}news/", sent.sent_news, name="sent-news"),
    path(f"{_SENT}check-again/", sent.check_case_again, name="check-again"),
    path(f"{_SENT}take-back/", sent.take_back, name="take-back"),
    path("given-up/", worklist.given_up, name="given-up"),
    path("journeys/<uuid:journey_id>/", journey.journey, name="journey"),
    path(
        "journeys/<uuid:journey_id>/messages/<uuid:message_id>/",
        messages.sent_message,
        name="sent-message",
    ),
    path("requests/", include(_REQUESTS)),
]
