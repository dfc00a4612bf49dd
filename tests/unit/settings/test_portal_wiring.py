"""Health, caching and checks of the portal."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from django.core.checks import run_checks
from django.db import connection
from django.test import Client

from bars_portal import apps
from bars_portal.exchange.models import AccessToken, Heartbeat
from tests.factories.accounts import make_user
from tests.unit.exchange_transport.servers import Server, reply, serving


@pytest.fixture
def demo(settings: Any, db: None) -> Iterator[Server]:
    """As in the demo: a worker that beats and a simulator that answers."""
    Heartbeat.objects.create(name="postroom", seen_at=datetime.now(UTC))
    with serving() as simulator:
        simulator.script(reply(200))
        settings.DEMO = True
        settings.BARS = {**settings.BARS, "TOKEN_URL": f"{simulator.url}/oauth2/token"}
        yield simulator


def ready(client: Client) -> tuple[int, dict[str, str]]:
    response = client.get("/health/ready")
    return response.status_code, response.json()["checks"]


@pytest.mark.django_db
def test_ready(client: Client, demo: Server) -> None:
    assert ready(client) == (200, {"database": "ok", "worker": "ok", "simulator": "ok"})


@pytest.mark.django_db
def test_without_the_demo_only_the_database_counts(client: Client) -> None:
    assert ready(client) == (200, {"database": "ok"})


@pytest.mark.django_db
def test_not_ready_without_migrations(client: Client) -> None:
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = 'bookings'")
    assert ready(client) == (503, {"database": "failing"})


@pytest.mark.django_db(transaction=True)
def test_not_ready_without_a_database(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    connection.close()
    with monkeypatch.context() as patch:
        patch.setitem(connection.settings_dict, "HOST", "/nowhere")
        patch.setitem(connection.settings_dict, "OPTIONS", {})
        assert ready(client) == (503, {"database": "failing"})
        assert client.get("/health/live").status_code == 200
    connection.close()


@pytest.mark.django_db
@pytest.mark.parametrize("status", [500, 404])
def test_not_ready_without_the_simulator(client: Client, demo: Server, status: int) -> None:
    demo.script(reply(status))
    assert ready(client) == (503, {"database": "ok", "worker": "ok", "simulator": "failing"})


@pytest.mark.django_db
def test_not_ready_when_nothing_listens_or_the_worker_is_still(
    client: Client, demo: Server, settings: Any
) -> None:
    settings.BARS = {**settings.BARS, "TOKEN_URL": "http://127.0.0.1:9/oauth2/token"}
    Heartbeat.objects.all().delete()
    assert ready(client) == (503, {"database": "ok", "worker": "failing", "simulator": "failing"})


@pytest.mark.parametrize("verb", ["post", "put", "delete"])
def test_health_is_only_read(client: Client, verb: str) -> None:
    assert getattr(client, verb)("/health/live").status_code == 405


@pytest.mark.django_db
@pytest.mark.parametrize(
    "path", ["/", "/accounts/sign-in/", "/nothing-here/", "/admin/", "/services", "/health/live"]
)
@pytest.mark.parametrize("someone", [True, False])
def test_no_answer_is_kept_by_a_browser(client: Client, path: str, someone: bool) -> None:
    if someone:
        client.force_login(make_user())
    headers = client.get(path).headers
    assert headers["Cache-Control"] == "no-store"
    # The table of docs/how-to/run-the-edge.md.
    assert {
        "Content-Security-Policy",
        "Cross-Origin-Opener-Policy",
        "Cross-Origin-Resource-Policy",
        "Permissions-Policy",
        "Referrer-Policy",
        "X-Content-Type-Options",
        "X-Frame-Options",
    } <= headers.keys()


@pytest.mark.django_db
def test_a_refused_form_is_not_kept_either() -> None:
    response = Client(enforce_csrf_checks=True).post("/accounts/sign-in/", {"username": "x"})
    assert (response.status_code, response.headers["Cache-Control"]) == (403, "no-store")


def test_the_system_checks_are_clean() -> None:
    assert [each for each in run_checks() if each.is_serious()] == []


def test_another_database_is_an_error(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(settings.DATABASES, "default", {"ENGINE": "django.db.backends.sqlite3"})
    (found,) = apps.database_is_postgresql()
    assert found.id == "portal.E001"


@pytest.mark.django_db
def test_clocks_that_differ_are_told_and_nothing_fails(client: Client, settings: Any) -> None:
    settings.BARS = {**settings.BARS, "ENVIRONMENT": "int", "KEY_ID": "Us-INT-1"}
    assert client.get("/health/ready").json()["warnings"] == []
    AccessToken.objects.create(environment="int", key_id="Us-INT-1", server_ahead=-600)
    response = client.get("/health/ready")
    assert response.status_code == 200
    (warning,) = response.json()["warnings"]
    assert warning.startswith("The clock of the token server is 600 s behind ours")
