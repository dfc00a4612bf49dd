"""The receiver's paths below /FHIR/R4: case-sensitive, a trailing slash is never a redirect."""

from django.urls import re_path

from bars_portal.exchange.receiver import views

urlpatterns = [
    re_path(r"^metadata/?$", views.MetadataView.as_view()),
    re_path(r"^MessageDefinition/?$", views.MessageDefinitionView.as_view()),
    re_path(r"^\$process-message/?$", views.ProcessMessageView.as_view()),
    re_path(r"^Slot/?$", views.ResourceView.as_view(resource_type="Slot")),
    re_path(r"^Appointment/?$", views.ResourceView.as_view(resource_type="Appointment")),
    re_path(
        r"^Appointment/(?P<resource_id>[^/]+)/?$", views.ResourceView.as_view(resource_type="Appointment")
    ),
]
