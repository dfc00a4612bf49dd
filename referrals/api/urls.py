"""Below /api/v1/."""

from django.urls import re_path

from referrals.api import (
    cases,
    cases_changes,
    cases_decisions,
    journeys,
    referrals,
    referrals_changes,
    tasks,
)

_REFERRAL = r"^referrals/(?P<referral_id>[0-9a-f]{8}-[0-9a-f-]{27})"
_VALIDATION = r"^validations/(?P<validation_id>[0-9a-f]{8}-[0-9a-f-]{27})"
_CASE = r"^cases/(?P<case_id>[0-9a-f]{8}-[0-9a-f-]{27})"
_TASK = r"^tasks/(?P<task_id>[0-9a-f]{8}-[0-9a-f-]{27})"
_RESPONSE = r"responses/(?P<response_id>[0-9]{1,18})"
_CHANGES = {
    "accept": cases_decisions.Accept,
    "start": cases_decisions.Start,
    "reject": cases_decisions.Reject,
    "complete": cases_decisions.Complete,
    "outcome": cases_decisions.GiveOutcome,
    "did-not-attend": cases_decisions.DidNotAttend,
    "cad-status": cases_decisions.TellHowFar,
    "assign": cases_changes.Assign,
    "notes": cases_changes.AddNote,
    "attempts": cases_changes.RecordAttempt,
    "place": cases_changes.RecordPlace,
    "link-booking": cases_changes.LinkBooking,
    "unlink-booking": cases_changes.UnlinkBooking,
    "answer/check-again": cases_changes.CheckAnswerAgain,
    "answer/send-again": cases_changes.SendAnswerAgain,
}


urlpatterns = [
    re_path(r"^referrals/?$", referrals.Referrals.as_view(), name="api-referrals"),
    re_path(r"^referrals/validate/?$", referrals.ReferralDryRun.as_view(), name="api-referral-dry-run"),
    re_path(rf"{_REFERRAL}/?$", referrals.OneReferral.as_view(), name="api-referral"),
    re_path(
        rf"{_REFERRAL}/update/?$", referrals_changes.UpdateReferral.as_view(), name="api-referral-update"
    ),
    re_path(
        rf"{_REFERRAL}/revoke/?$", referrals_changes.RevokeReferral.as_view(), name="api-referral-revoke"
    ),
    re_path(rf"{_REFERRAL}/refer-again/?$", referrals_changes.ReferAgain.as_view(), name="api-refer-again"),
    re_path(
        rf"{_REFERRAL}/check-again/?$",
        referrals_changes.CheckReferralAgain.as_view(),
        name="api-referral-check-again",
    ),
    re_path(
        rf"{_REFERRAL}/{_RESPONSE}/?$",
        referrals.OneReferralResponse.as_view(),
        name="api-referral-response",
    ),
    re_path(r"^validations/?$", referrals.Validations.as_view(), name="api-validations"),
    re_path(r"^validations/validate/?$", referrals.ValidationDryRun.as_view(), name="api-validation-dry-run"),
    re_path(rf"{_VALIDATION}/?$", referrals.OneValidation.as_view(), name="api-validation"),
    re_path(
        rf"{_VALIDATION}/{_RESPONSE}/?$",
        referrals.OneValidationResponse.as_view(),
        name="api-validation-response",
    ),
    re_path(
        rf"{_VALIDATION}/update/?$",
        referrals_changes.UpdateValidation.as_view(),
        name="api-validation-update",
    ),
    re_path(
        rf"{_VALIDATION}/revoke/?$",
        referrals_changes.RevokeValidation.as_view(),
        name="api-validation-revoke",
    ),
    re_path(
        rf"{_VALIDATION}/check-again/?$",
        referrals_changes.CheckValidationAgain.as_view(),
        name="api-validation-check-again",
    ),
    re_path(r"^worklist/?$", cases.Worklist.as_view(), name="api-worklist"),
    re_path(rf"{_CASE}/?$", cases.OneCase.as_view(), name="api-case"),
    re_path(rf"{_CASE}/message/?$", cases.OneMessage.as_view(), name="api-case-message"),
    re_path(rf"{_CASE}/onward-content/?$", cases.OnwardContent.as_view(), name="api-case-onward-content"),
    re_path(rf"{_CASE}/document/?$", cases.Document.as_view(), name="api-case-document"),
    *(
        re_path(rf"{_CASE}/{name}/?$", view.as_view(), name=f"api-case-{name.replace('/', '-')}")
        for name, view in _CHANGES.items()
    ),
    re_path(
        r"^journeys/(?P<journey_id>[0-9a-f]{8}-[0-9a-f-]{27})/?$",
        journeys.OneJourney.as_view(),
        name="api-journey",
    ),
    re_path(r"^patients/search/?$", journeys.PatientSearch.as_view(), name="api-patient-search"),
    re_path(r"^tasks/?$", tasks.TaskList.as_view(), name="api-tasks"),
    re_path(rf"{_TASK}/?$", tasks.OneTask.as_view(), name="api-task"),
    re_path(rf"{_TASK}/take/?$", tasks.Take.as_view(), name="api-task-take"),
    re_path(rf"{_TASK}/give-back/?$", tasks.GiveBack.as_view(), name="api-task-give-back"),
    re_path(rf"{_TASK}/close/?$", tasks.Close.as_view(), name="api-task-close"),
]
