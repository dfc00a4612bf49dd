"""The frame's own addresses. The slash at the end is optional everywhere."""

from django.urls import path, re_path

from bars_portal.api import docs, views
from bars_portal.api.oauth import TokenView

app_name = "api"

urlpatterns = [
    re_path(r"^oauth2/token/?$", TokenView.as_view(), name="token"),
    re_path(r"^schema/?$", docs.schema, name="schema"),
    path("docs/", docs.overview, name="docs"),
    path("docs/problems/<slug:name>/", docs.problem, name="problem"),
    re_path(r"^v1/applications/me/?$", views.OwnApplication.as_view(), name="own-application"),
]
