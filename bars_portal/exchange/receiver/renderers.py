"""DRF's renderers of both FHIR formats, and the responses: never cached, gzip when asked, both ids echoed."""

import logging
from collections.abc import Mapping
from typing import Any, cast
from uuid import uuid4

from django.conf import settings
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from bars_portal.exchange.fhir import json, xml
from bars_portal.exchange.fhir.bundle import Rendered
from bars_portal.exchange.fhir.formats import Format
from bars_portal.exchange.fhir.outcomes import Issue, OutcomeError, operation_outcome
from bars_portal.exchange.message_bytes import deflate
from bars_portal.exchange.receiver.negotiation import takes_gzip
from bars_portal.exchange.transport.headers import echo_headers

logger = logging.getLogger(__name__)

Resource = dict[str, Any] | Rendered
_SENT = "bars.headers"


class FhirJsonRenderer(BaseRenderer):
    media_type = Format.JSON.value
    format = "json"
    charset = None

    def render(self, data: Resource, accepted_media_type: Any = None, renderer_context: Any = None) -> bytes:
        return data.body if isinstance(data, Rendered) else json.dumps(data)


class FhirXmlRenderer(BaseRenderer):
    media_type = Format.XML.value
    format = "xml"
    charset = None

    def render(self, data: Resource, accepted_media_type: Any = None, renderer_context: Any = None) -> bytes:
        """Raises OutcomeError when XML has no place for something in it."""
        return xml.dumps(data.read() if isinstance(data, Rendered) else data)


RENDERERS = (FhirJsonRenderer, FhirXmlRenderer)


class FhirResponse(Response):
    """One resource in the negotiated format."""

    accepted_renderer: BaseRenderer
    renderer_context: dict[str, Any]
    # Of the first issue, where there is one.
    code = ""

    @property
    def rendered_content(self) -> bytes:  # type: ignore[override]  # DRF's own gives bytes, whatever the stubs say
        request: Request = self.renderer_context["request"]
        body = self._written()
        self["Cache-Control"] = "no-store"
        self["Vary"] = "Accept, Accept-Encoding"
        if takes_gzip(request):
            body = deflate(body)
            self["Content-Encoding"] = "gzip"
        self["Content-Length"] = str(len(body))
        for name, value in echo_headers(headers_of(request)).items():
            self[name] = value
        return body

    def _written(self) -> bytes:
        try:
            return cast(bytes, super().rendered_content)
        except OutcomeError:
            # What was done is done: an answer in the other format tells more than a failure.
            # No traceback: it could quote the resource.
            kind = self.data.read() if isinstance(self.data, Rendered) else self.data
            logger.warning("A %s cannot be written as %s", kind.get("resourceType"), Format.XML)
            self.accepted_renderer = FhirJsonRenderer()
            return cast(bytes, super().rendered_content)


class OutcomeResponse(FhirResponse):
    """An OperationOutcome; the first issue gives the status."""

    def __init__(self, *issues: Issue) -> None:
        self.issues = issues
        outcome = operation_outcome(issues, outcome_id=str(uuid4()), receiver=settings.BARS["ODS_CODE"])
        super().__init__(outcome, status=issues[0].code.status)
        self.code = issues[0].code.code


def headers_of(request: Request) -> Mapping[str, str]:
    """What was sent, by names in small letters: but for the length and type of the body."""
    # Asked twice a request; Django's own mapping works out the usual spelling of each name.
    meta = request.META
    if _SENT not in meta:
        sent = ((name[5:], value) for name, value in meta.items() if name.startswith("HTTP_"))
        meta[_SENT] = {name.replace("_", "-").lower(): value for name, value in sent}
    found: Mapping[str, str] = meta[_SENT]
    return found
