"""The receiver's FHIR endpoints in OpenAPI 3.1, by drf-spectacular from what serves them, so it cannot drift.

Only `manage.py describe_receiver` and tests import this: no worker pays for it.
"""

from http import HTTPStatus
from typing import Any

from django.conf import settings
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.settings import patched_settings
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse
from rest_framework.views import APIView

from bars_portal.exchange.fhir.formats import Format
from bars_portal.exchange.fhir.identifiers import ServiceID
from bars_portal.exchange.fhir.outcomes import OutcomeCode
from bars_portal.exchange.receiver import urls, views
from bars_portal.exchange.receiver.authentication import PeerAuthentication
from bars_portal.exchange.receiver.schema_bodies import Json, component_schemas, message_bodies, outcome_name
from bars_portal.exchange.receiver.schema_parameters import (
    FORMAT,
    RESOURCE_ID,
    definitions_search,
    echoed_headers,
    request_headers,
    search,
)

BASE_PATH = "/FHIR/R4"


# At every path: ids and headers, the certificate's name, the format asked for, and our own database.
_COMMON = frozenset({400, 403, 406, 408, 429, 500, 503})
_READ = _COMMON | {401, 404}
_SLOTS = _READ | {OutcomeCode.TOO_COSTLY.status}
_MESSAGE = _READ | {409, 413, 415, 422, 425}
# From the server, to what never becomes a request: no FHIR, no ids (receiver/server/mistakes.py).
_BARE = (HTTPStatus.REQUEST_URI_TOO_LONG, HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)


def describe(*, service_id: ServiceID) -> Json:
    """The OpenAPI document as a dict; its examples name `service_id`, and no patient."""
    described = {
        "OAS_VERSION": "3.1.0",
        "TITLE": "BaRS receiver",
        "VERSION": settings.BARS["SOFTWARE_VERSION"],
        "SERVERS": [{"url": BASE_PATH}],
        "APPEND_COMPONENTS": {"schemas": component_schemas()},
        # Its own would give every enum of a resource a component and a name.
        "POSTPROCESSING_HOOKS": [],
    }
    with patched_settings(described):
        document: Json = FhirSchemaGenerator(service_id).get_schema(public=True)  # type: ignore[no-untyped-call]
    return document


class FhirSchemaGenerator(SchemaGenerator):
    def __init__(self, service_id: ServiceID) -> None:
        super().__init__(patterns=urls.urlpatterns)  # type: ignore[no-untyped-call]
        self.service_id = service_id

    def create_view(self, callback: Any, method: str, request: Any = None) -> APIView:
        view: APIView = super().create_view(callback, method, request)  # type: ignore[no-untyped-call]
        view.schema = FhirSchema(self.service_id)
        return view

    def coerce_path(self, path: str, method: str, view: APIView) -> str:
        """The slash at the end is optional."""
        coerced: str = super().coerce_path(path, method, view)  # type: ignore[no-untyped-call]
        return coerced.rstrip("/")


class MutualTls(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = PeerAuthentication
    name = "mutualTLS"

    def get_security_definition(self, auto_schema: AutoSchema) -> Json:
        return {"type": "mutualTLS"}


class FhirSchema(AutoSchema):
    """One verb at one path: media types from the view's parsers and renderers, the rest by its class."""

    def __init__(self, service_id: ServiceID) -> None:
        super().__init__()
        self.service_id = service_id

    def get_operation(self, *args: Any) -> Json:
        operation = super().get_operation(*args) or {}
        if "requestBody" in operation:
            operation["requestBody"]["required"] = True
        return operation

    def get_operation_id(self) -> str:
        words = self.path.replace("{resource_id}", "by-id").replace("$", "").strip("/")
        return f"{self.method.lower()}-{words.replace('/', '-')}"

    def get_description(self) -> str:  # type: ignore[override]  # as drf-spectacular has it
        """A view's docstring is for those who change it."""
        return ""

    def get_tags(self) -> list[str]:
        return []

    def get_override_parameters(self) -> list[Any]:
        sent = request_headers(self.service_id, writes=self.method == "POST")
        return [*sent, *self._queries(), *FORMAT, *echoed_headers(self._refusals())]

    def get_request_serializer(self) -> Any:
        return message_bodies(self.service_id)

    def get_response_serializers(self) -> Any:
        answers = {(200, Format.JSON.value): _response(self._answered_with(), "Done.")}
        for status in sorted(self._refusals()):
            answers[status, Format.JSON.value] = _response(outcome_name(status), _meaning(status))
        # XML is described by its JSON twin.
        in_xml = {
            (status, Format.XML.value): OpenApiResponse({"type": "string"}, answer.description)
            for (status, _), answer in answers.items()
        }
        bare = {int(each): OpenApiResponse(None, f"{each.phrase}; not FHIR.") for each in _BARE}
        return {**answers, **in_xml, **bare}

    @property
    def _is_by_id(self) -> bool:
        return "{resource_id}" in self.path

    def _queries(self) -> list[OpenApiParameter]:
        match self.view:
            case views.ResourceView() if self._is_by_id:
                return [RESOURCE_ID]
            case views.ResourceView(reader=reader):
                return search(reader.resource_type, self.service_id)
            case views.MessageDefinitionView():
                return definitions_search(self.service_id)
        return []

    def _answered_with(self) -> str:
        """The schema of a 200."""
        match self.view:
            case views.MetadataView():
                return "CapabilityStatement"
            case views.ProcessMessageView():
                return "MessageBundle"
        return "Resource" if self._is_by_id else "SearchsetBundle"

    def _refusals(self) -> frozenset[int]:
        match self.view:
            case views.ProcessMessageView():
                return _MESSAGE
            case views.MetadataView():
                return _COMMON
            case views.ResourceView(reader=reader) if reader.resource_type == "Slot":
                return _SLOTS
        return _READ


def _response(schema: str, description: str) -> OpenApiResponse:
    return OpenApiResponse({"$ref": f"#/components/schemas/{schema}"}, description)


def _meaning(status: int) -> str:
    return ", ".join(f"{code.code} {code.issue}" for code in OutcomeCode if code.status == status)
