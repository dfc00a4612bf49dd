"""The referral pages. No address names a patient."""

from django.urls import include, path

app_name = "referrals"

urlpatterns = [
    path("requests/", include("referrals.request_urls")),
]
