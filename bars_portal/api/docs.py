"""The documentation, offline and without a script: made from the OpenAPI document and the problems' table.

Each resource has a page with its operations, and all that they take and give as rows.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import orjson
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.text import slugify
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_safe

from bars_portal.api.operations import Scope
from bars_portal.api.problems import PROBLEMS

Json = Mapping[str, Any]
_VERBS = ("get", "post", "put", "patch", "delete")


@require_safe
@gzip_page
def schema(request: HttpRequest) -> HttpResponse:
    # drf-spectacular costs memory that a worker needs only once somebody asks.
    from bars_portal.api.schema import document

    return HttpResponse(orjson.dumps(document()), content_type="application/vnd.oai.openapi+json")


@require_safe
@gzip_page
def overview(request: HttpRequest) -> HttpResponse:
    context = {
        "api": _described_once(),
        "scopes": [(each.value, each.words) for each in Scope],
        "problems": list(PROBLEMS.values()),
    }
    return render(request, "api/docs.jinja", context)


@require_safe
@gzip_page
def resource_page(request: HttpRequest, resource: str) -> HttpResponse:
    found = next((each for each in _described_once().resources if each.slug == resource), None)
    if found is None:
        raise Http404
    return render(request, "api/resource.jinja", {"resource": found})


@require_safe
def problem(request: HttpRequest, name: str) -> HttpResponse:
    found = PROBLEMS.get(name)
    if found is None:
        raise Http404
    context: dict[str, Any] = {"problem": found}
    return render(request, "api/problem.jinja", context)


@dataclass(frozen=True)
class FieldRow:
    """One property of a body or an answer; `name` is a path such as patient.phone."""

    name: str
    kind: str
    is_required: bool
    description: str


@dataclass(frozen=True)
class ShownOperation:
    id: str
    verb: str
    path: str
    summary: str
    description: str
    scope: str
    is_deprecated: bool
    parameters: list[FieldRow]
    body: str
    body_rows: list[FieldRow]
    example: str
    answers: list[tuple[str, str, str]]


@dataclass(frozen=True)
class ShownComponent:
    name: str
    rows: list[FieldRow]


@dataclass(frozen=True)
class Resource:
    """What one page shows: a tag's operations, and whatever their bodies and answers are made of."""

    slug: str
    name: str
    operations: list[ShownOperation]
    components: list[ShownComponent]


@dataclass(frozen=True)
class Described:
    title: str
    version: str
    description: list[str]
    resources: list[Resource]


@cache
def _described_once() -> Described:
    """The same for everybody, as the document is."""
    from bars_portal.api.schema import document

    return described(document())


def described(document: Json) -> Described:
    by_tag: dict[str, list[tuple[str, str, Json]]] = {}
    for path, verbs in document["paths"].items():
        for verb in _VERBS:
            if verb in verbs:
                by_tag.setdefault(verbs[verb]["tags"][0], []).append((path, verb, verbs[verb]))
    return Described(
        title=document["info"]["title"],
        version=document["info"]["version"],
        description=document["info"]["description"].split("\n\n"),
        resources=[_resource(document, tag, operations) for tag, operations in sorted(by_tag.items())],
    )


def _resource(document: Json, tag: str, operations: list[tuple[str, str, Json]]) -> Resource:
    schemas, names = document["components"]["schemas"], set[str]()
    for _, _, operation in operations:
        _note_names(document, operation, names)
    return Resource(
        slugify(tag),
        tag,
        [_operation(document, path, verb, operation) for path, verb, operation in operations],
        [ShownComponent(name, list(_rows(schemas[name]))) for name in sorted(names)],
    )


def _note_names(document: Json, part: Any, names: set[str]) -> None:
    """Of all components that are pointed at anywhere below, and in one another."""
    if isinstance(part, list):
        for each in part:
            _note_names(document, each, names)
    if not isinstance(part, dict):
        return
    name = _name_of(part) if isinstance(part.get("$ref"), str) else ""
    if name and name not in names:
        names.add(name)
        _note_names(document, document["components"]["schemas"][name], names)
    for each in part.values():
        _note_names(document, each, names)


def _operation(document: Json, path: str, verb: str, operation: Json) -> ShownOperation:
    media = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
    body = _name_of(media.get("schema", {}))
    example = (
        orjson.dumps(media["example"], option=orjson.OPT_INDENT_2).decode() if "example" in media else ""
    )
    return ShownOperation(
        id=operation["operationId"],
        verb=verb.upper(),
        path=path,
        summary=operation["summary"],
        description=operation.get("description", ""),
        scope=", ".join(operation["security"][0]["oauth2"]) or "any",
        is_deprecated=operation.get("deprecated", False),
        parameters=[_parameter(each) for each in operation.get("parameters", ())],
        body=body,
        body_rows=list(_rows(document["components"]["schemas"][body])) if body else [],
        example=example,
        answers=[_answer(status, each) for status, each in operation["responses"].items()],
    )


def _parameter(parameter: Json) -> FieldRow:
    kind = f"{parameter['in']}, {_kind(parameter['schema'])}"
    description = parameter.get("description", "")
    return FieldRow(parameter["name"], kind, parameter.get("required", False), description)


def _answer(status: str, answer: Json) -> tuple[str, str, str]:
    """Status, the component of its body, and which problems it may be."""
    content = answer.get("content", {})
    plain = content.get("application/json", {})
    return status, _name_of(plain.get("schema", {})), "" if plain else answer["description"]


def _rows(schema: Json, before: str = "") -> Iterator[FieldRow]:
    """Of objects within objects too; what has a name of its own is told there."""
    if "oneOf" in schema:
        told = schema["discriminator"]["propertyName"]
        yield FieldRow(f"{before}{told}", _kind(schema), True, "Says which of these it is.")
    needed = schema.get("required", ())
    for name, each in schema.get("properties", {}).items():
        path = f"{before}{name}"
        yield FieldRow(path, _kind(each), name in needed, each.get("description", ""))
        inner = each.get("items", each)
        yield from _rows(inner, f"{path}." if inner is each else f"{path}[].")


def _kind(schema: Json) -> str:
    """ "text", "one of: a, b", "list of Service", "Booking or null"."""
    if "$ref" in schema:
        return _name_of(schema)
    for choice in ("anyOf", "oneOf"):
        if choice in schema:
            return " or ".join(_kind(each) for each in schema[choice])
    kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    return " or ".join(_plain_kind(each, schema) for each in kinds)


def _plain_kind(kind: str, schema: Json) -> str:
    if kind == "array":
        return f"list of {_kind(schema['items'])}"
    if kind == "string" and "enum" in schema:
        return f"one of: {', '.join(each for each in schema['enum'] if each)}"
    if kind == "string":
        return str(schema.get("format", "text"))
    return "true or false" if kind == "boolean" else kind


def _name_of(schema: Json) -> str:
    return str(schema.get("$ref", "")).rpartition("/")[2]
