"""The habits that all addresses share: verbs, sizes, forms, origins, limits, and pages that explain."""

import gzip
import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from io import BytesIO
from typing import Any, ClassVar

import pytest
from django.test import Client
from django.urls import path
from rest_framework.response import Response
from rest_framework.test import APIRequestFactory

from bars_portal.api import operations
from bars_portal.api.operations import Component, Deprecation, Operation, deprecated, object_of, text
from bars_portal.api.own import OWN_APPLICATION
from bars_portal.api.problems import PROBLEMS
from bars_portal.api.schema import ApiSchemaGenerator, document
from bars_portal.api.views import ApiView
from tests.factories.api import bearer, make_application
from tests.integration.api.conftest import DOCTOR, Calls

pytestmark = pytest.mark.django_db
ME = "/api/v1/applications/me"


def title(answer: Any) -> str:
    assert answer["Content-Type"] == "application/problem+json", answer.content
    return next(each.name for each in PROBLEMS.values() if each.title == answer.json()["title"])


def test_verbs(calls: Calls) -> None:
    head = calls.client.head(ME, headers=calls.headers)
    assert (head.status_code, head.content) == (200, b"")
    told = calls.client.options("/api/v1/bookings")
    assert (told.status_code, told["Allow"]) == (204, "GET, HEAD, POST, OPTIONS")
    wrong = calls.client.delete(ME, headers=calls.headers)
    assert (wrong.status_code, title(wrong), wrong["Allow"]) == (
        405,
        "method-not-allowed",
        "GET, HEAD, OPTIONS",
    )
    for address in ("nothing/here", "bookings/a%0Ab", "bookings/00000000-0000-0000-0000-00000000000g"):
        nothing = calls.get(address)
        assert (nothing.status_code, title(nothing)) == (404, "not-found")
    assert calls.client.get(f"{ME}/", headers=calls.headers).status_code == 200, "a slash is no other address"


@pytest.mark.parametrize(
    ("content", "content_type", "accept", "status", "name"),
    [
        (b"{}", "text/xml", "*/*", 415, "unsupported-media-type"),
        (b"{", "application/json", "*/*", 400, "unusable-request"),
        (b'{"slot": NaN}', "application/json", "*/*", 400, "unusable-request"),
        (b'{"slot": "\xff"}', "application/json", "*/*", 400, "unusable-request"),
        (b"{}", "application/json", "text/html", 406, "not-acceptable"),
        (b" " * 256_001, "application/json", "*/*", 413, "too-large"),
        (b" " * 3_000_000, "application/json", "*/*", 413, "too-large"),
    ],
)
def test_bodies(calls: Calls, content: bytes, content_type: str, accept: str, status: int, name: str) -> None:
    headers = {**calls.headers, "Idempotency-Key": "k", "Accept": accept}
    answer = calls.client.post("/api/v1/bookings", content, content_type=content_type, headers=headers)
    assert (answer.status_code, title(answer)) == (status, name)


@pytest.mark.parametrize(
    "token", ["", "Basic x", "Bearer", "Bearer no", "Bearer \xe4", f"Bearer {'x' * 300}"]
)
def test_strangers(client: Client, token: str) -> None:
    answer = client.get(ME, headers={"Authorization": token} if token else {})
    assert (answer.status_code, title(answer)) == (401, "not-authenticated")
    assert answer["WWW-Authenticate"].startswith("Bearer")
    assert answer["Cache-Control"] == "no-store"


def test_a_session_of_a_person_is_no_token(client: Client) -> None:
    client.force_login(make_application().owner)
    assert client.get(ME).status_code == 401


def test_who_asks_too_much_is_asked_to_wait() -> None:
    calls = Calls(make_application(requests_a_minute=2))
    first = calls.get("applications/me")
    assert (first["RateLimit-Policy"], first["RateLimit"]) == (
        '"application";q=2;w=60',
        '"application";r=1;t=1',
    )
    calls.get("applications/me")
    refused = calls.get("applications/me")
    assert (refused.status_code, title(refused)) == (429, "too-many-requests")
    assert 1 <= int(refused["Retry-After"]) <= 30
    assert Calls(make_application()).get("applications/me").status_code == 200


@pytest.mark.parametrize(
    ("sent", "echoed"), [("abc-1", True), ("a b", False), ("x" * 200, False), ("<b>", False)]
)
def test_plain_ids_are_echoed(calls: Calls, sent: str, echoed: bool) -> None:
    answer = calls.get("applications/me", x_request_id=sent)
    assert (answer["X-Request-ID"] == sent) == echoed
    assert answer["X-Request-ID"]


def test_other_origins_are_listed_or_not_served(calls: Calls, settings: Any) -> None:
    ours, headers = "https://app.example", {"Origin": "https://app.example"}
    assert "Access-Control-Allow-Origin" not in calls.client.options(ME, headers=headers)
    settings.API_ALLOWED_ORIGINS = [ours]
    asked = calls.client.options(ME, headers=headers)
    assert (asked.status_code, asked["Access-Control-Allow-Origin"]) == (204, ours)
    assert "Idempotency-Key" in asked["Access-Control-Allow-Headers"]
    assert "Origin" in asked["Vary"]
    assert "Access-Control-Allow-Origin" not in calls.get("applications/me", origin="https://other.example")


def test_pages_that_explain_are_for_everybody(client: Client) -> None:
    overview = client.get("/api/docs/")
    assert overview.status_code == 200
    for each in PROBLEMS.values():
        page = client.get(f"/api/docs/problems/{each.name}/")
        assert each.remedy.split(".")[0] in page.content.decode()
        assert f"/api/docs/problems/{each.name}/" in overview.content.decode()
    for name in ("problems/nothing", "nothing"):
        assert client.get(f"/api/docs/{name}/").status_code == 404
    described = [each for verbs in document()["paths"].values() for each in verbs.values()]
    addresses = {each["tags"][0]: f"/api/docs/{each['tags'][0].lower()}/" for each in described}
    pages = {tag: client.get(at).content.decode() for tag, at in addresses.items()}
    for operation in described:
        at, shown = addresses[operation["tags"][0]], pages[operation["tags"][0]]
        assert f'href="{at}#{operation["operationId"]}"' in overview.content.decode()
        assert f'id="{operation["operationId"]}"' in shown
    for shown in pages.values():
        # Whatever it points at is on the same page.
        assert {*re.findall(r'href="#(c-\w+)"', shown)} <= {*re.findall(r'id="(c-\w+)"', shown)}
    packed = client.get("/api/schema/", headers={"Accept-Encoding": "gzip"})
    assert b'"openapi":"3.1.0"' in gzip.decompress(packed.content)
    assert "<script src" not in overview.content.decode().replace('<script src="/static/', "")


REPEATED = [
    (b'{"slot": "a", "slot": "b"}', ["/slot"]),
    (
        b'{"patient": {"phone": "1", "town": "x", "phone": "2"}, "a": [{"b": 1, "b": 2}]}',
        ["/patient/phone", "/a/0/b"],
    ),
    (b'{"a/b": 1, "a/b": 2, "\\u0061": 1, "a": 2}', ["/a~1b", "/a"]),
]


@pytest.mark.parametrize(("content", "pointers"), REPEATED)
def test_a_name_that_is_there_twice_is_refused_where_it_stands(
    calls: Calls, content: bytes, pointers: list[str]
) -> None:
    headers = {**calls.headers, "Idempotency-Key": "k"}
    answer = calls.client.post("/api/v1/bookings", content, content_type="application/json", headers=headers)
    assert (answer.status_code, title(answer)) == (400, "unusable-request")
    assert [each["pointer"] for each in answer.json()["errors"]] == pointers


@pytest.mark.parametrize(
    ("name", "value", "status"),
    [
        ("X-Request-ID", "a b", 400),
        ("Prefer", "wait=soon", 400),
        ("Prefer", "wait=-1", 400),
        ("If-None-Match", "abc", 400),
        ("If-Match", 'W/"abc', 400),
        ("Content-Encoding", "gzip", 415),
        ("Content-Length", "many", 400),
        ("Transfer-Encoding", "chunked", 400),
        ("Idempotency-Key", "a b", 400),
        ("X-Acting-User", "me", 400),
        ("X-Acting-User", '{"name": "A", "name": "B"}', 400),
        ("X-Acting-User", DOCTOR.replace("clinician", "manager"), 400),
    ],
)
def test_a_header_that_cannot_be_used_is_named(calls: Calls, name: str, value: str, status: int) -> None:
    headers = {**calls.headers, "Idempotency-Key": "k", name: value}
    extra: Any = {"CONTENT_LENGTH": value} if name == "Content-Length" else {}
    extra |= {"CONTENT_LENGTH": ""} if name == "Transfer-Encoding" else {}
    answer = calls.client.post(
        "/api/v1/bookings", {}, content_type="application/json", headers=headers, **extra
    )
    assert (answer.status_code, answer.json()["errors"][0]["header"]) == (status, name)
    assert name in answer.json()["detail"]


@pytest.mark.parametrize(("size", "status"), [(0, 422), (256_000, 422), (256_001, 413)])
def test_a_body_in_chunks_is_read_as_any_other(calls: Calls, size: int, status: int) -> None:
    """As gunicorn hands it over: without a length, and with an end."""
    body = b'{"surprise": 1}' + b" " * max(0, size - 15)
    as_sent: Any = {"wsgi.input": BytesIO(body), "wsgi.input_terminated": True}
    as_sent |= {"CONTENT_LENGTH": "", "CONTENT_TYPE": "application/json"}
    answer = calls.client.generic(
        "POST",
        "/api/v1/bookings",
        b"",
        "application/json",
        headers={**calls.headers, "Idempotency-Key": "k", "Transfer-Encoding": "chunked"},
        **as_sent,
    )
    assert answer.status_code == status, answer.content
    assert status == 413 or "/surprise" in [each["pointer"] for each in answer.json()["errors"]]


OLD = {
    "OldThing": object_of({"of": {"$ref": "#/components/schemas/OldPart"}}),
    "OldPart": object_of(
        {"x": deprecated(text("It."), Deprecation(date(2026, 5, 1), date(2026, 12, 1), "Use y."))}
    ),
}


class Old(ApiView):
    """An operation that goes, with a field that goes sooner, and one that stays."""

    operations: ClassVar[Mapping[str, Operation]] = {
        "GET": Operation(
            "get-old",
            "Old",
            None,
            {200: Component("OldThing")},
            deprecation=Deprecation(date(2026, 6, 1), date(2027, 6, 1), "Use the new one."),
            tag="Old",
        ),
        "DELETE": Operation("delete-old", "Old", None, {200: OWN_APPLICATION}, tag="Old"),
    }

    def get(self, request: Any) -> Response:
        return Response({"of": {"x": "1"}}, headers={"Link": '<next>; rel="next"'})

    def delete(self, request: Any) -> Response:
        return Response({})


def test_what_is_deprecated_says_so_and_until_when(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, schema in OLD.items():
        # Not registered: the API's own document is nobody's to change.
        monkeypatch.setitem(operations._COMPONENTS, name, schema)
    headers, make = bearer(make_application()), APIRequestFactory()
    told = Old.as_view()(make.get("/api/v1/old", headers=headers))
    may, sunset = datetime(2026, 5, 1, tzinfo=UTC), "Tue, 01 Dec 2026 00:00:00 GMT"
    assert (told["Deprecation"], told["Sunset"]) == (f"@{may.timestamp():.0f}", sunset)
    assert told["Link"] == '<next>; rel="next", </api/docs/old/#get-old>; rel="deprecation"'
    still = Old.as_view()(make.delete("/api/v1/old", headers=headers))
    assert not {"Deprecation", "Sunset"} & set(still.headers)
    make_document: Any = ApiSchemaGenerator
    found = make_document(patterns=[path("api/v1/old", Old.as_view())]).get_schema(public=True)
    operation = found["paths"]["/api/v1/old"]["get"]
    assert operation["deprecated"] is True
    assert (
        operation["description"] == "Deprecated since 1 June 2026, served until 1 June 2027. Use the new one."
    )
    with pytest.raises(ValueError, match="180 days"):
        Deprecation(date(2026, 6, 1), date(2026, 7, 1), "")
