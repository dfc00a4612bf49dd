"""The receiver's FHIR endpoints in OpenAPI 3.1, by drf-spectacular from what serves them, so it cannot drift.

First what goes beside a body: request headers (standard section 3), queries of reads (section 7). Only
`manage.py describe_receiver` and tests import this: no worker pays for it.
"""

from http import HTTPStatus
from typing import Any, Literal
from uuid import UUID

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.settings import patched_settings
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse
from rest_framework.settings import api_settings
from rest_framework.views import APIView

from bars_portal.exchange.fhir.codes import (
    USE_CASE_SYSTEM,
    MessageCategory,
    MessageEvent,
    MessageReason,
    UseCase,
)
from bars_portal.exchange.fhir.formats import Format
from bars_portal.exchange.fhir.identifiers import NHS_NUMBER_SYSTEM, SERVICE_ID_SYSTEM, ServiceID
from bars_portal.exchange.fhir.outcomes import OutcomeCode
from bars_portal.exchange.fhir.queries import patients, services
from bars_portal.exchange.fhir.queries.params import MAX_VALUE_LENGTH
from bars_portal.exchange.receiver import urls, views
from bars_portal.exchange.receiver.authentication import PeerAuthentication
from bars_portal.exchange.receiver.renderers import FORMAT_PARAMETER
from bars_portal.exchange.receiver.schema_bodies import Json, component_schemas, message_bodies, outcome_name
from bars_portal.exchange.transport.headers import (
    CORRELATION_ID,
    REQUEST_ID,
    USE_CONTEXT,
    OutgoingContext,
    Party,
    Practitioner,
    Software,
    encode_headers,
)

Place = Literal["query", "header"]

_BASE64: Json = {"type": "string", "contentEncoding": "base64", "pattern": r"^[A-Za-z0-9+/]+={0,2}$"}
_EXAMPLE_ID = UUID("5d0f1a4e-3a53-4f77-9d53-0a2f6f1f6a01")
_ECHOED = (REQUEST_ID, CORRELATION_ID)
# Never held against the message; a request id of a validation that is no UUID has another code for it.
_USE_CONTEXT_PARTS = (UseCase, [*MessageCategory, ""], MessageEvent, MessageReason)
_USE_CONTEXT_PATTERN = r"\|".join(f"({'|'.join(codes)})" for codes in _USE_CONTEXT_PARTS)
_USE_CONTEXT: Json = {"type": "string", "pattern": f"^{_USE_CONTEXT_PATTERN}$"}
_USE_CONTEXT_EXAMPLE = f"{next(iter(UseCase))}||{MessageEvent.BOOKING_REQUEST}|{MessageReason.NEW}"
_INSTANT = (
    r"20[0-9]{2}-(0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])"
    r"T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](Z|[+-](0[0-9]|1[0-3]):00)"
)
_TEXT: Json = {"type": "string", "minLength": 1, "maxLength": MAX_VALUE_LENGTH}
_TOKEN: Json = {"type": "string", "pattern": r"^([^|\x00-\x1f\x7f]+\|)?[^|\s\x00-\x1f\x7f]+$"}
_SERVICE: Json = {"type": "string", "pattern": rf"^({SERVICE_ID_SYSTEM}\|)?[0-9]{{1,20}}$"}


def _parameter(
    name: str, schema: Any, place: Place = "query", *, required: bool = False, example: object = None
) -> OpenApiParameter:
    examples = [] if example is None else [OpenApiExample("Example", example)]
    return OpenApiParameter(name, schema, place, required, examples=examples)


def _several(items: Json, *, fewest: int = 1) -> Json:
    """A parameter that is repeated."""
    return {"type": "array", "items": items, "minItems": fewest}


FORMAT = [
    _parameter(FORMAT_PARAMETER, {"enum": ["json", "xml", *(each.value for each in Format)]}),
    # Of DRF's own negotiation, which the receiver has not.
    OpenApiParameter(str(api_settings.URL_FORMAT_OVERRIDE), exclude=True),
]
RESOURCE_ID = OpenApiParameter(
    "resource_id", OpenApiTypes.UUID, OpenApiParameter.PATH, description="The id that this receiver gave."
)


def request_headers(service_id: ServiceID, *, writes: bool) -> list[OpenApiParameter]:
    """Every header that a request may carry, each as we write it. Accept is the media types' own."""
    written = encode_headers(_example(service_id, writes=writes))
    gzip = _parameter("Accept-Encoding", {"enum": ["gzip", "identity"]}, "header", example="gzip")
    return [*(_header(name, value) for name, value in written.items()), gzip]


def echoed_headers(refusals: frozenset[int]) -> list[OpenApiParameter]:
    """Both ids on every answer; a refused request may have come without."""
    return [
        OpenApiParameter(
            name, str, OpenApiParameter.HEADER, complete, description="As it was sent.", response=statuses
        )
        for name in _ECHOED
        for complete, statuses in ((True, [200]), (False, sorted(refusals)))
    ]


def definitions_search(service_id: ServiceID) -> list[OpenApiParameter]:
    """GET /MessageDefinition."""
    use_case = {"type": "string", "enum": [f"{USE_CASE_SYSTEM}|{each}" for each in UseCase]}
    schema = _several({"anyOf": [_SERVICE, use_case]})
    return [_parameter(services.CONTEXT, schema, required=True, example=[service_id.token])]


def search(resource_type: str, service_id: ServiceID) -> list[OpenApiParameter]:
    """GET of a registered reader. Raises ImproperlyConfigured for one whose search is not described here."""
    if resource_type == "Slot":
        return _slots(service_id)
    if resource_type == "Appointment":
        return _of_one_patient()
    if resource_type == "ServiceRequest":
        return [_parameter(patients.REQUEST_IDENTIFIER, _TOKEN), *_of_one_patient()]
    raise ImproperlyConfigured(f"The search of {resource_type} has no description.")


def _slots(service_id: ServiceID) -> list[OpenApiParameter]:
    bounds = _several({"type": "string", "pattern": f"^(ge|le){_INSTANT}$"}, fewest=2) | {"maxItems": 2}
    hours = ["ge2030-01-07T08:00:00Z", "le2030-01-07T20:00:00Z"]
    includes = [each.value for each in services.SlotInclude]
    needed = [each.value for each in services.REQUIRED_INCLUDES]
    several = _several({"type": "string", "enum": includes}, fewest=len(needed))
    return [
        _parameter(services.SERVICE, _SERVICE, required=True, example=service_id.token),
        _parameter(services.STATUS, {"enum": ["free", "busy", "free,busy"]}, required=True, example="free"),
        _parameter(services.START, bounds, required=True, example=hours),
        _parameter(services.INCLUDE, several, required=True, example=needed),
    ]


def _of_one_patient() -> list[OpenApiParameter]:
    """No examples: they would name a patient. The first alone, or the other three together."""
    number = {"type": "string", "pattern": rf"^{NHS_NUMBER_SYSTEM}\|[0-9]{{10}}$"}
    place = "[A-Z]{1,2}[0-9][A-Z0-9]? ?[0-9][ABD-HJLNP-UW-Z]{2}"
    postcode = {"type": "string", "pattern": f"^(?:{place}|ZZ99 ?[0-9][A-Z]{{2}})$"}
    known_in_part = {"type": "string", "pattern": "^[1-9][0-9]{3}(?:-(?:0[1-9]|1[0-2]))?$"}
    return [
        _parameter(patients.IDENTIFIER, number),
        _parameter(patients.NAME, _TEXT),
        _parameter(patients.BIRTH_DATE, {"anyOf": [{"type": "string", "format": "date"}, known_in_part]}),
        _parameter(patients.POSTCODE, postcode),
    ]


def _header(name: str, example: str) -> OpenApiParameter:
    schema = {REQUEST_ID: OpenApiTypes.UUID, CORRELATION_ID: OpenApiTypes.UUID, USE_CONTEXT: _USE_CONTEXT}
    wanted = schema.get(name, _BASE64)
    return _parameter(name, wanted, "header", required=name in _ECHOED, example=example)


def _example(service_id: ServiceID, *, writes: bool) -> OutgoingContext:
    return OutgoingContext(
        request_id=_EXAMPLE_ID,
        correlation_id=_EXAMPLE_ID,
        target=service_id,
        organisation=Party(ods_code="A1001", name="Sending organisation"),
        software=Software(identifier="EXAMPLE-1", name="Example sender", version="1.0.0"),
        practitioner=Practitioner(role_id="555086692105"),
        use_context=_USE_CONTEXT_EXAMPLE if writes else None,
    )


BASE_PATH = "/FHIR/R4"


# At every path: ids and headers, the certificate's name, the format asked for, and our own database.
_COMMON = frozenset({400, 403, 406, 408, 429, 500, 503})
_READ = _COMMON | {401, 404}
_SLOTS = _READ | {OutcomeCode.TOO_COSTLY.status}
_MESSAGE = _READ | {409, 413, 415, 422, 425}
# From the server, to what never becomes a request: no FHIR, no ids (receiver/server/bounded_worker.py).
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
        super().__init__(patterns=urls.operations)  # type: ignore[no-untyped-call]  # the library has no types there
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
