"""The receiver's only tree; its errors are OperationOutcomes too."""

from django.urls import include, path

urlpatterns = [path("FHIR/R4/", include("bars_portal.exchange.receiver.urls"))]

handler400 = "bars_portal.exchange.receiver.base.bad_request"
handler404 = "bars_portal.exchange.receiver.base.unknown_path"
handler500 = "bars_portal.exchange.receiver.base.server_error"
