"""The frame's own addresses. The slash at the end is optional everywhere."""

from django.urls import path, re_path

from bars_portal.api import docs, own
from bars_portal.api.oauth import TokenView
from bars_portal.api.webhooks import views as webhooks

app_name = "api"
_WEBHOOK = r"^v1/webhooks/(?P<webhook_id>[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})"

urlpatterns = [
    re_path(r"^oauth2/token/?$", TokenView.as_view(), name="token"),
    re_path(r"^schema/?$", docs.schema, name="schema"),
    path("docs/", docs.overview, name="docs"),
    path("docs/<slug:resource>/", docs.resource_page, name="docs-resource"),
    path("docs/problems/<slug:name>/", docs.problem, name="problem"),
    re_path(r"^v1/applications/me/?$", own.OwnApplication.as_view(), name="own-application"),
    re_path(r"^v1/applications/me/usage/?$", own.OwnUsage.as_view(), name="own-usage"),
    re_path(r"^v1/events/?$", own.EventList.as_view(), name="events"),
    re_path(r"^v1/webhooks/?$", webhooks.WebhookList.as_view(), name="webhooks"),
    re_path(rf"{_WEBHOOK}/?$", webhooks.OneWebhook.as_view(), name="webhook"),
    re_path(rf"{_WEBHOOK}/change/?$", webhooks.Change.as_view(), name="webhook-change"),
    re_path(rf"{_WEBHOOK}/rotate-secret/?$", webhooks.RotateSecret.as_view(), name="webhook-secret"),
    re_path(rf"{_WEBHOOK}/switch-on/?$", webhooks.SwitchOn.as_view(), name="webhook-on"),
    re_path(rf"{_WEBHOOK}/switch-off/?$", webhooks.SwitchOff.as_view(), name="webhook-off"),
    re_path(rf"{_WEBHOOK}/remove/?$", webhooks.Remove.as_view(), name="webhook-remove"),
    re_path(rf"{_WEBHOOK}/test/?$", webhooks.Test.as_view(), name="webhook-test"),
    re_path(rf"{_WEBHOOK}/replay/?$", webhooks.Replay.as_view(), name="webhook-replay"),
    re_path(rf"{_WEBHOOK}/deliveries/?$", webhooks.DeliveryList.as_view(), name="webhook-deliveries"),
]
