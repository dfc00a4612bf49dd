"""The REST API below /api/: its frame, and the resources of each app."""

from django.urls import include, path, re_path

from bars_portal.api.views import NothingHere

urlpatterns = [
    path("", include("bars_portal.api.urls")),
    path("v1/", include("directory.api.services")),
    path("v1/", include("bookings.api.slots")),
    path("v1/", include("bookings.api.bookings")),
    path("v1/", include("referrals.api.urls")),
    # Last: what no app has, whatever it is called.
    re_path(r"^v1/", NothingHere.as_view(), name="api-nothing"),
]
