"""Each kind of change of the OpenAPI document, and whether callers bear with it."""

from copy import deepcopy
from typing import Any

import pytest

from bars_portal.api.schema import document
from tests.api_changes import changes

_THING = {
    "type": "object",
    "properties": {
        "id": {"type": "string", "description": "Its id."},
        "kind": {"type": "string", "enum": ["a", "b"]},
        "next": {"anyOf": [{"$ref": "#/components/schemas/Thing"}, {"type": "null"}]},
    },
    "required": ["id"],
    "additionalProperties": False,
}
_NEW = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "maxLength": 10},
        "kinds": {"type": "array", "items": {"type": "string"}},
    },
    "required": ["name"],
}
_OLD: dict[str, Any] = {
    "paths": {
        "/things": {
            "post": {
                "operationId": "make-thing",
                "security": [{"oauth2": ["things:write"]}],
                "parameters": [
                    {"name": "limit", "in": "query", "schema": {"type": "integer", "maximum": 9}},
                    {"name": "Key", "in": "header", "required": True, "schema": {"type": "string"}},
                ],
                "requestBody": {
                    "required": True,
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/New"}}},
                },
                "responses": {
                    "201": {
                        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Thing"}}}
                    },
                    "422": {"description": "invalid-fields"},
                },
            }
        }
    },
    "components": {"schemas": {"Thing": _THING, "New": _NEW}},
}
_OPERATION, _SCHEMAS = ("paths", "/things", "post"), ("components", "schemas")
_PARAMETERS, _BODY, _ANSWER = (*_OPERATION, "parameters"), (*_SCHEMAS, "New"), (*_SCHEMAS, "Thing")
GONE = object()
_LIMIT, _KEY = _OLD["paths"]["/things"]["post"]["parameters"]
_TEXT = {"type": "string"}

# Where the document is changed, to what, and the change that must be told (fits or BREAKS).
CASES: list[tuple[tuple[Any, ...], Any, str]] = [
    (("paths", "/things"), GONE, "BREAKS POST /things: is gone"),
    (("paths", "/others"), {"post": _OLD["paths"]["/things"]["post"]}, "fits POST /others: is new"),
    ((*_OPERATION, "operationId"), "x", "BREAKS POST /things: operationId is another"),
    ((*_OPERATION, "security"), [], "BREAKS POST /things: security is another"),
    ((*_OPERATION, "deprecated"), True, "fits POST /things: is deprecated"),
    ((*_PARAMETERS,), [_KEY], "BREAKS POST /things query limit: is gone"),
    ((*_PARAMETERS,), [_LIMIT, _KEY, {**_LIMIT, "name": "x"}], "fits POST /things query x: is new"),
    ((*_PARAMETERS,), [_LIMIT, _KEY, {**_KEY, "name": "x"}], "BREAKS POST /things header x: is new"),
    ((*_PARAMETERS, 0, "required"), True, "BREAKS POST /things query limit: is required"),
    ((*_PARAMETERS, 1, "required"), False, "fits POST /things header Key: may be missing"),
    ((*_PARAMETERS, 0, "schema", "maximum"), 8, "BREAKS POST /things query limit: maximum is 8"),
    ((*_PARAMETERS, 0, "schema", "maximum"), 10, "fits POST /things query limit: maximum is 10"),
    ((*_OPERATION, "requestBody"), GONE, "BREAKS POST /things: takes no body"),
    ((*_BODY, "properties", "kinds"), GONE, "BREAKS POST /things body/kinds: is gone"),
    ((*_BODY, "properties", "more"), _TEXT, "fits POST /things body/more: is new"),
    ((*_BODY, "required"), ["name", "kinds"], "BREAKS POST /things body/kinds: is required"),
    ((*_BODY, "required"), [], "fits POST /things body/name: may be missing"),
    ((*_BODY, "properties", "name", "maxLength"), GONE, "fits POST /things body/name: maxLength is gone"),
    ((*_BODY, "properties", "name", "pattern"), "x", "BREAKS POST /things body/name: pattern is x"),
    ((*_BODY, "properties", "name", "type"), ["string", "null"], "fits POST /things body/name: may be null"),
    (
        (*_BODY, "properties", "kinds", "items", "enum"),
        ["a"],
        "BREAKS POST /things body/kinds/*: has options",
    ),
    ((*_ANSWER, "properties", "id"), GONE, "BREAKS POST /things 201/id: is gone"),
    ((*_ANSWER, "properties", "more"), _TEXT, "fits POST /things 201/more: is new"),
    ((*_ANSWER, "properties", "id", "type"), ["string", "null"], "BREAKS POST /things 201/id: may be null"),
    ((*_ANSWER, "properties", "id", "format"), "uuid", "BREAKS POST /things 201/id: format is uuid"),
    ((*_ANSWER, "properties", "id", "deprecated"), True, "fits POST /things 201/id: is deprecated"),
    ((*_ANSWER, "required"), [], "BREAKS POST /things 201/id: may be missing"),
    ((*_ANSWER, "required"), ["id", "kind"], "fits POST /things 201/kind: is required"),
    (
        (*_ANSWER, "properties", "kind", "enum"),
        ["a", "b", "c"],
        "fits POST /things 201/kind: 'c' is a new option",
    ),
    ((*_ANSWER, "properties", "kind", "enum"), ["a"], "fits POST /things 201/kind: 'b' is no option"),
    ((*_ANSWER, "properties", "next"), _TEXT, "BREAKS POST /things 201/next: may be string"),
    ((*_OPERATION, "responses", "202"), {}, "BREAKS POST /things 202: may be answered"),
    ((*_OPERATION, "responses", "422"), GONE, "fits POST /things 422: is answered no more"),
]


def changed(where: tuple[Any, ...], value: Any) -> dict[str, Any]:
    new = deepcopy(_OLD)
    part: Any = new
    for step in where[:-1]:
        part = part[step]
    if value is GONE:
        del part[where[-1]]
    else:
        part[where[-1]] = value
    return new


@pytest.mark.parametrize(("where", "value", "told"), CASES, ids=[told for _, _, told in CASES])
def test_a_change_is_told_and_judged(where: tuple[Any, ...], value: Any, told: str) -> None:
    assert told in [str(each) for each in changes(_OLD, changed(where, value))]


def test_words_for_people_are_no_change() -> None:
    new = changed((*_ANSWER, "properties", "id", "description"), "Another word.")
    assert changes(_OLD, new) == []
    assert changes(document(), deepcopy(document())) == []
