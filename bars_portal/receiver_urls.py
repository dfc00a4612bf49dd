"""The receiver's only tree; its errors are OperationOutcomes too."""

from django.urls import include, re_path

from bars_portal.exchange.receiver.views import UnknownPathView

urlpatterns = [
    re_path(r"^FHIR/R4/", include("bars_portal.exchange.receiver.urls")),
    re_path(r"", UnknownPathView.as_view(), name="unknown"),
]

handler400 = "bars_portal.exchange.receiver.views.bad_request"
handler404 = "bars_portal.exchange.receiver.views.unknown_path"
handler500 = "bars_portal.exchange.receiver.views.server_error"
