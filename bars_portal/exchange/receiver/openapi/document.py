"""The whole description: paths from the URL tree, message types and readers from the registry."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from rest_framework.schemas.generators import EndpointEnumerator

from bars_portal.exchange.fhir.identifiers import ServiceID
from bars_portal.exchange.receiver import urls, views
from bars_portal.exchange.receiver.openapi import answers, headers, messages, queries, schemas
from bars_portal.exchange.receiver.openapi.answers import Json

BASE_PATH = "/FHIR/R4"
_RESOURCE_ID: Json = {
    "name": "resource_id",
    "in": "path",
    "required": True,
    "description": "The id that this receiver gave.",
    "schema": {"type": "string", "format": "uuid"},
}


@dataclass(frozen=True)
class _Endpoint:
    """One verb at one path; `resource_type` only where the view reads one."""

    path: str
    verb: str
    view: type[Any]
    resource_type: str

    @property
    def is_by_id(self) -> bool:
        return "{resource_id}" in self.path

    @property
    def name(self) -> str:
        """operationId."""
        words = self.path.replace("{resource_id}", "by-id").replace("$", "").strip("/")
        return f"{self.verb}-{words.replace('/', '-')}"


def describe(*, service_id: ServiceID) -> Json:
    """The OpenAPI 3.1 document as a dict; its examples name `service_id`, and no patient."""
    paths: dict[str, Json] = {}
    for endpoint in _endpoints():
        paths.setdefault(endpoint.path, {})[endpoint.verb] = _operation(endpoint, service_id)
    return {
        "openapi": "3.1.0",
        "info": {"title": "BaRS receiver", "version": settings.BARS["SOFTWARE_VERSION"]},
        "servers": [{"url": BASE_PATH}],
        "paths": paths,
        "components": {
            "schemas": schemas.components(),
            "parameters": headers.components(service_id),
        },
    }


def _endpoints() -> Iterator[_Endpoint]:
    """Every verb that the URL tree serves."""
    found = EndpointEnumerator(patterns=urls.urlpatterns).get_api_endpoints()
    for path, verb, callback in found:
        kind = callback.initkwargs.get("resource_type", "")
        yield _Endpoint(path.rstrip("/"), verb.lower(), callback.cls, kind)


def _operation(endpoint: _Endpoint, service_id: ServiceID) -> Json:
    operation = {
        "operationId": endpoint.name,
        "parameters": [*headers.references(endpoint.verb), *_parameters(endpoint, service_id)],
        "responses": answers.responses(_answered_with(endpoint), _refusals(endpoint)),
    }
    if endpoint.view is views.ProcessMessageView:
        operation["requestBody"] = messages.request_body(service_id)
    return operation


def _parameters(endpoint: _Endpoint, service_id: ServiceID) -> list[Json]:
    if endpoint.is_by_id:
        return [_RESOURCE_ID, queries.FORMAT]
    if endpoint.resource_type:
        return [*queries.search(endpoint.resource_type, service_id), queries.FORMAT]
    if endpoint.view is views.MessageDefinitionView:
        return [*queries.definitions_search(service_id), queries.FORMAT]
    return [queries.FORMAT]


def _answered_with(endpoint: _Endpoint) -> str:
    """The schema of a 200."""
    if endpoint.view is views.MetadataView:
        return "CapabilityStatement"
    if endpoint.view is views.ProcessMessageView:
        return "MessageBundle"
    return "Resource" if endpoint.is_by_id else "SearchsetBundle"


def _refusals(endpoint: _Endpoint) -> frozenset[int]:
    if endpoint.view is views.ProcessMessageView:
        return answers.COMMON | answers.MESSAGE
    if endpoint.view is views.MetadataView:
        return answers.COMMON
    if endpoint.resource_type == "Slot":
        return answers.COMMON | answers.READ | {answers.TOO_COSTLY}
    return answers.COMMON | answers.READ
