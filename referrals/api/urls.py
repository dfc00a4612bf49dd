"""Below /api/v1/."""

from django.urls import re_path

from referrals.api import referrals, referrals_changes

_REFERRAL = r"^referrals/(?P<referral_id>[0-9a-f]{8}-[0-9a-f-]{27})"
_VALIDATION = r"^validations/(?P<validation_id>[0-9a-f]{8}-[0-9a-f-]{27})"

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
    re_path(r"^validations/?$", referrals.Validations.as_view(), name="api-validations"),
    re_path(r"^validations/validate/?$", referrals.ValidationDryRun.as_view(), name="api-validation-dry-run"),
    re_path(rf"{_VALIDATION}/?$", referrals.OneValidation.as_view(), name="api-validation"),
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
]
