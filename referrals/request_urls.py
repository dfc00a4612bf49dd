"""Pages of sending a request. No address names a patient."""

from django.urls import path

from referrals.views import request_sending, request_steps, requesting

urlpatterns = [
    path("", requesting.drafts, name="drafts"),
    path("new/", requesting.new, name="new"),
    path("services/<str:service_id>/ask-again/", requesting.ask_again, name="ask-again"),
    path("sent/<uuid:case_id>/", request_sending.outcome, name="confirmation"),
    path("sent/<uuid:case_id>/status/", request_sending.outcome_status, name="confirmation-status"),
    path("sent/<uuid:case_id>/check-again/", request_sending.outcome_again, name="confirmation-check-again"),
    path("<uuid:draft_id>/", request_steps.tasks, name="request"),
    path("<uuid:draft_id>/patient/", request_steps.patient, name="request-patient"),
    path("<uuid:draft_id>/check/", request_sending.check, name="request-check"),
    path("<uuid:draft_id>/discard/", requesting.discard, name="request-discard"),
    path("<uuid:draft_id>/<slug:slug>/", request_steps.step, name="request-step"),
]
