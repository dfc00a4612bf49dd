"""The API in OpenAPI 3.1, by drf-spectacular, from the `operations` of the views that serve it."""

from functools import cache
from typing import Any

from django.conf import settings
from django.urls import get_resolver
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.settings import patched_settings
from rest_framework.views import APIView

from bars_portal.api.callers import ACTING_USER
from bars_portal.api.headers import LONGEST_WAIT, PLAIN_ID, REQUEST_ID
from bars_portal.api.oauth import BearerAuthentication
from bars_portal.api.operations import (
    STATABLE,
    Json,
    Operation,
    Parameter,
    Scope,
    components,
    object_of,
    text,
)
from bars_portal.api.problems import CONTENT_TYPE, PROBLEMS
from bars_portal.api.views import ApiView

TOKEN_PATH = "/api/oauth2/token/"  # noqa: S105 - an address
_DESCRIPTION = (
    "Book and follow through the BaRS portal without speaking FHIR.",
    "Times have offsets, ids are opaque, and lists go on by next. Every POST needs an Idempotency-Key and may"
    " be repeated with it.",
    "A write is answered with the state of what it made. Wait for the outcome with Prefer: wait=10, or read"
    " it again from Location. The state unknown means that the service gave no clear answer: do not book"
    " anew, the portal asks again.",
)
PROBLEM = object_of(
    {
        "type": text("The address of a page that explains it.", format="uri"),
        "title": text(),
        "status": {"type": "integer"},
        "detail": text("In words that may be shown to the user."),
        "errors": {
            "type": "array",
            "items": object_of(
                {
                    "detail": text(),
                    "pointer": text("Where in the body (RFC 6901)."),
                    "parameter": text("Which parameter of the address."),
                    "header": text("Which header."),
                },
                required=("detail",),
            ),
        },
    },
    required=("type", "title", "status", "detail"),
)
_ACTING_EXAMPLE = (
    '{"name": "Dr Ann Lee", "identifier": {"system": "https://hospital.example/staff", "value": "77"}, '
    '"role": "clinician", "clinical": true}'
)


@cache
def document() -> Json:
    """The OpenAPI document; the same for everybody."""
    # The views are imported by this, and with them what they register.
    list(get_resolver().url_patterns)
    described = {
        "OAS_VERSION": "3.1.0",
        "TITLE": "BaRS portal API",
        "VERSION": settings.VERSION,
        "DESCRIPTION": "\n\n".join(_DESCRIPTION),
        "SERVERS": [{"url": "/"}],
        "APPEND_COMPONENTS": {"schemas": {**components(), "Problem": PROBLEM}},
        "POSTPROCESSING_HOOKS": [],
        "SCHEMA_PATH_PREFIX": "/api/v1",
        "SORT_OPERATIONS": False,
    }
    with patched_settings(described):
        found: Json = ApiSchemaGenerator().get_schema(public=True)  # type: ignore[no-untyped-call]  # no types
    _link(found)
    return found


def _link(found: Json) -> None:
    """From what makes or lists a thing to all that may be done with it, by its id."""
    for path, verbs in found["paths"].items():
        within = {
            operation["operationId"]: below.removeprefix(f"{path}/{{").partition("}")[0]
            for below, others in found["paths"].items()
            if below.startswith(f"{path}/{{")
            for operation in others.values()
        }
        for operation in verbs.values():
            for status, answer in operation["responses"].items():
                at = _id_in(found, answer) if status.startswith("2") else ""
                if at and within:
                    answer["links"] = {
                        name: {"operationId": name, "parameters": {parameter: f"$response.body#{at}"}}
                        for name, parameter in within.items()
                    }


def _id_in(found: Json, answer: Json) -> str:
    """Where its thing, or the first one of its list, has the id; "" when it has none."""
    schema = answer.get("content", {}).get("application/json", {}).get("schema", {})
    named = found["components"]["schemas"].get(schema.get("$ref", "").rpartition("/")[2], {})
    properties = named.get("properties", {})
    if "id" in properties:
        return "/id"
    return "/items/0/id" if "items" in properties else ""


class ApiSchemaGenerator(SchemaGenerator):
    """Of every view of ours that says what it does."""

    def create_view(self, callback: Any, method: str, request: Any = None) -> APIView:
        view: APIView = super().create_view(callback, method, request)  # type: ignore[no-untyped-call]  # no types
        view.schema = OperationSchema()
        return view

    def coerce_path(self, path: str, method: str, view: APIView) -> str:
        """The slash at the end is optional."""
        coerced: str = super().coerce_path(path, method, view)  # type: ignore[no-untyped-call]  # no types
        return coerced.rstrip("/")


class ClientCredentials(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # no types
    target_class = BearerAuthentication
    name = "oauth2"

    def get_security_definition(self, auto_schema: AutoSchema) -> Json:
        scopes = {each.value: each.words for each in Scope}
        flow = {"tokenUrl": TOKEN_PATH, "scopes": scopes}
        return {"type": "oauth2", "flows": {"clientCredentials": flow}}


class OperationSchema(AutoSchema):
    """One verb at one address."""

    def get_operation(self, path: str, path_regex: str, path_prefix: str, method: str, registry: Any) -> Any:
        operation = self.view.operations.get(method.upper()) if isinstance(self.view, ApiView) else None
        if operation is None:
            return None
        self.registry, self.path, self.path_regex = registry, path, path_regex
        self.path_prefix, self.method = path_prefix, method.upper()
        scopes = [operation.scope.value] if operation.scope else []
        # Registers the security scheme.
        self.get_auth()
        found: Json = {
            "operationId": operation.id,
            "summary": operation.summary,
            "description": operation.description,
            "tags": [operation.tag],
            "security": [{"oauth2": scopes}],
            "parameters": [*_path_parameters(path), *map(_query, operation.query), *_headers(operation)],
            "requestBody": _body(operation),
            "responses": dict(_responses(operation)),
        }
        if operation.deprecation is not None:
            found["deprecated"] = True
            found["description"] = f"{operation.deprecation.sentence} {operation.description}".strip()
        return {name: value for name, value in found.items() if value}


def _path_parameters(path: str) -> list[Json]:
    names = [part[1:-1] for part in path.split("/") if part.startswith("{")]
    return [{"name": each, "in": "path", "required": True, "schema": {"type": "string"}} for each in names]


def _query(parameter: Parameter) -> Json:
    schema = {"type": "array", "items": parameter.schema} if parameter.repeats else parameter.schema
    described = parameter.description or parameter.schema.get("description", "")
    plain = {name: value for name, value in schema.items() if name not in ("description", "deprecated")}
    return {
        "name": parameter.name,
        "in": "query",
        "required": parameter.is_required,
        **({"deprecated": True} if parameter.schema.get("deprecated") else {}),
        "schema": plain,
        **({"description": described} if described else {}),
    }


def _header(name: str, description: str, *, required: bool = False, **schema: Any) -> Json:
    kind = {"type": "string", **schema}
    return {"name": name, "in": "header", "required": required, "schema": kind, "description": description}


def _headers(operation: Operation) -> list[Json]:
    roles = " or ".join(each.value for each in STATABLE)
    found = [
        _header(REQUEST_ID, "Your own id of the request; echoed.", pattern=PLAIN_ID),
        {
            **_header(ACTING_USER, f"Whom you act for, as JSON; role: {roles}."),
            "example": _ACTING_EXAMPLE,
        },
    ]
    if operation.is_keyed:
        found.append(
            _header(
                "Idempotency-Key",
                "A key of your own for the one thing that you want done, such as a UUID.",
                required=True,
                maxLength=255,
                pattern="^[!-~]+$",
            )
        )
    if operation.takes_wait:
        found.append(
            _header(
                "Prefer",
                f"wait=n (to {LONGEST_WAIT:.0f}): answer once the outcome is known, unless too many wait.",
            )
        )
    if operation.is_conditional:
        name = "If-Match" if operation.is_keyed else "If-None-Match"
        pattern = r'^(\*|(W/)?"[!#-~]*")$'
        required = operation.needs_match
        found.append(_header(name, "The ETag of what you read.", required=required, pattern=pattern))
    return found


def _body(operation: Operation) -> Json | None:
    if operation.body is None:
        return None
    media: Json = {"schema": operation.body.ref}
    if operation.example is not None:
        media["example"] = operation.example
    return {"required": True, "content": {"application/json": media}}


def _responses(operation: Operation) -> Any:
    for status, answer in sorted(operation.answers.items()):
        yield (
            str(status),
            {
                "description": answer.name,
                "content": {operation.media: {"schema": answer.ref}},
            },
        )
    if operation.is_conditional and not operation.is_keyed:
        yield "304", {"description": "Not changed"}
    by_status: dict[int, list[str]] = {}
    for name in operation.all_problems:
        by_status.setdefault(PROBLEMS[name].status, []).append(name)
    for status, names in sorted(by_status.items()):
        content = {CONTENT_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
        yield str(status), {"description": ", ".join(names), "content": content}
