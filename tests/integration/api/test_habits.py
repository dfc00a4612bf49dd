"""The habits that all addresses share: verbs, sizes, forms, origins, limits, and pages that explain."""

import gzip
from typing import Any

import pytest
from django.test import Client

from bars_portal.api.problem_types import PROBLEMS
from tests.factories.api import make_application
from tests.integration.api.conftest import Calls

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
    for path in ("nothing/here", "bookings/a%0Ab", "bookings/00000000-0000-0000-0000-00000000000g"):
        nothing = calls.get(path)
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
    assert client.get("/api/docs/problems/nothing/").status_code == 404
    packed = client.get("/api/schema/", headers={"Accept-Encoding": "gzip"})
    assert b'"openapi":"3.1.0"' in gzip.decompress(packed.content)
    assert "<script src" not in overview.content.decode().replace('<script src="/static/', "")
