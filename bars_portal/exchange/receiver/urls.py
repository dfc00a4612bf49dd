"""The receiver's paths below /FHIR/R4: case-sensitive, a trailing slash is never a redirect.

Resource types come from the registry: a new reader needs no line here.
"""

from collections.abc import Iterator

from django.urls import URLPattern, re_path

from bars_portal.exchange.receiver import views
from bars_portal.exchange.registry import ResourceReader, readers


def _paths(reader: ResourceReader) -> Iterator[URLPattern]:
    kind = reader.resource_type
    view = views.ResourceView.as_view(reader=reader)
    yield re_path(rf"^{kind}/?$", view, name=kind)
    if reader.by_id:
        yield re_path(rf"^{kind}/(?P<resource_id>[^/]+)/?$", view, name=f"{kind} by id")


urlpatterns = [
    re_path(r"^metadata/?$", views.MetadataView.as_view(), name="metadata"),
    re_path(r"^MessageDefinition/?$", views.MessageDefinitionView.as_view(), name="MessageDefinition"),
    re_path(r"^\$process-message/?$", views.ProcessMessageView.as_view(), name="$process-message"),
    *(path for reader in readers() for path in _paths(reader)),
]
