"""The receiver's only tree; its errors are OperationOutcomes too.

Below /FHIR/R4 paths are case-sensitive, and a trailing slash is never a redirect. Resource types come from
the registry: a new reader needs no line here.
"""

from collections.abc import Iterator

from django.urls import URLPattern, include, re_path

from bars_portal.exchange.receiver import views
from bars_portal.exchange.registry import ResourceReader, readers


def _paths(reader: ResourceReader) -> Iterator[URLPattern]:
    kind = reader.resource_type
    view = views.ResourceView.as_view(reader=reader)
    yield re_path(rf"^{kind}/?$", view, name=kind)
    if reader.by_id:
        yield re_path(rf"^{kind}/(?P<resource_id>[^/]+)/?$", view, name=f"{kind} by id")


operations = [
    re_path(r"^metadata/?$", views.MetadataView.as_view(), name="metadata"),
    re_path(r"^MessageDefinition/?$", views.MessageDefinitionView.as_view(), name="MessageDefinition"),
    re_path(r"^\$process-message/?$", views.ProcessMessageView.as_view(), name="$process-message"),
    *(path for reader in readers() for path in _paths(reader)),
]
urlpatterns = [
    re_path(r"^FHIR/R4/", include(operations)),
    re_path(r"", views.UnknownPathView.as_view(), name="unknown"),
]

handler400 = "bars_portal.exchange.receiver.views.bad_request"
handler404 = "bars_portal.exchange.receiver.views.unknown_path"
handler500 = "bars_portal.exchange.receiver.views.server_error"
