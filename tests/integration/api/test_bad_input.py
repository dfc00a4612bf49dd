"""Bad input in every field and parameter: it is named, nothing is written, and nobody is quoted."""

import logging
from collections.abc import Iterator
from typing import Any

import pytest

from bars_portal.api.schema import document
from tests.integration.api.conftest import DOCTOR, Calls
from tests.integration.api.test_once import rows
from tests.integration.api.writes import OPERATIONS, Writes, kept_before, writes
from tests.profiles import daily, share

__all__ = ["kept_before", "writes"]
pytestmark = pytest.mark.django_db
# No text that a field could take, and no value that a log or a problem may show.
SECRET = "Quillfeather"
UNREADABLE = f"{SECRET}\ud800"
BAD: list[Any] = [7, [SECRET], {"odd": SECRET}, f"\x00{SECRET}", UNREADABLE, SECRET * 3_000]
# Of each kind of body one; the rest is thorough.
SAMPLE = {"create-referral", "reject-case", "assign-case", "close-task", "create-webhook"}
SAMPLED = daily(OPERATIONS, SAMPLE.__contains__)


def operations() -> Iterator[tuple[str, str, Any]]:
    for path, verbs in document()["paths"].items():
        for verb, operation in verbs.items():
            yield path, verb, operation


def resolved(schema: Any) -> Any:
    while "$ref" in schema or "anyOf" in schema or "oneOf" in schema:
        known = document()["components"]["schemas"]
        one = schema if "$ref" in schema else (schema.get("anyOf") or schema["oneOf"])[0]
        schema = known[one["$ref"].rpartition("/")[2]] if "$ref" in one else one
    return schema


def fields_of(operation_id: str) -> list[tuple[str, ...]]:
    """Paths of every field of its body; of what is in it too, one deep."""
    (operation,) = [each for _, _, each in operations() if each["operationId"] == operation_id]
    body = resolved(operation["requestBody"]["content"]["application/json"]["schema"])
    found: list[tuple[str, ...]] = []
    for name, schema in body["properties"].items():
        found.append((name,))
        found += [(name, inner) for inner in resolved(schema).get("properties", {})]
    return found


def takes_it(operation_id: str, field: tuple[str, ...], value: Any) -> bool:
    """What is no bad value there: hours, and lists of texts that are judged by what there is."""
    if field == ("both_for_hours",):
        return bool(value == 7)
    return isinstance(value, list) and operation_id.endswith("-webhook") and field[0] in ("types", "services")


@pytest.mark.parametrize("operation_id", SAMPLED)
def test_every_field_is_judged_and_named(
    writes: Writes, operation_id: str, caplog: pytest.LogCaptureFixture
) -> None:
    write = writes.of(operation_id)
    before = rows()
    caplog.set_level(logging.DEBUG)
    for number, field in enumerate(fields_of(operation_id)):
        for value in share(BAD, number, of=3):
            if takes_it(operation_id, field, value):
                continue
            body = dict(write.body)
            if len(field) == 1:
                body[field[0]] = value
            else:
                inner = body.get(field[0])
                body[field[0]] = {**(inner if isinstance(inner, dict) else {}), field[1]: value}
            answer = write.calls.post(write.path, body, x_acting_user=DOCTOR, if_match="*")
            told = (operation_id, field, value, answer.content[:500])
            assert answer.status_code in (400, 422), told
            assert SECRET not in answer.content.decode(), told
            if value == UNREADABLE:
                # The body as a whole, before there are fields.
                assert answer.json()["title"] == "The request cannot be read", told
                continue
            where = "/" + "/".join(field)
            pointers = [each["pointer"] for each in answer.json()["errors"]]
            assert [each for each in pointers if where.startswith(each) or each.startswith(where)], told
    assert rows() == before
    assert SECRET not in caplog.text


PARAMETERS = [
    (path.removeprefix("/api/v1/"), operation["operationId"], parameter)
    for path, verb, operation in operations()
    for parameter in operation["parameters"]
    if verb == "get" and "{" not in path and parameter["in"] == "query"
]
VALUES = ["", "\x00", SECRET, "-1", "9" * 400, "2026-13-01", "%ff"]


@pytest.mark.parametrize("value", VALUES)
def test_every_parameter_is_judged_and_named(calls: Calls, value: str) -> None:
    """Of the lists, where there is something to read without anything that is there."""
    for path, operation_id, parameter in share(PARAMETERS, VALUES.index(value), of=3):
        name = parameter["name"]
        answer = calls.get(path, {name: value})
        told = (operation_id, name, answer.content[:500])
        if answer.status_code == 200:
            assert value in ("", SECRET) or "enum" not in parameter["schema"], told
            continue
        assert answer.status_code == 400, told
        assert name in [each.get("parameter") for each in answer.json()["errors"]], told
        assert SECRET not in answer.content.decode(), told
