"""What the access log says of a path: nothing that somebody may have put there by mistake."""

import logging
import re
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.urls import get_resolver
from gunicorn.config import Config

from bars_portal.exchange.receiver.server.hooks import PlainAccessLog, loggable

NGINX = Path(__file__).resolve().parents[3] / "deploy" / "nginx_portal.conf"
ID = "0d3f3e0a-8d3e-4a34-9d3e-2f6a1c5b7e90"


@pytest.mark.parametrize(
    ("path", "status", "logged"),
    [
        (f"/bookings/{ID}/cancel/", 200, f"/bookings/{ID}/cancel/"),
        ("/bookings/9449306621", 404, "/bookings/..."),
        ("/referrals/Quill", 301, "/referrals/..."),
        ("/services/Ada%20Quill", 302, "/services/..."),
        ("/Quill", 302, "/..."),
        ("/accounts/sign-in/", 302, "/accounts/sign-in/"),
        (f"/admin/exchange/inboundmessage/{ID}/change/", 403, "/admin/..."),
        ("/FHIR/R4/Appointment/9449306621", 400, "/FHIR/R4/Appointment/..."),
    ],
)
def test_only_what_is_ours_is_logged(path: str, status: int, logged: str) -> None:
    assert loggable(path, status) == logged


@pytest.mark.parametrize(("method", "said"), [("POST", "POST"), ("QUILL", "..."), ("get", "...")])
def test_a_word_that_is_no_method_is_not_repeated(
    monkeypatch: pytest.MonkeyPatch, method: str, said: str
) -> None:
    written: list[tuple[str, Any]] = []
    # pytest's own handler hangs there once the logger has no parent: it would speak as gunicorn's ever after.
    for name in ("gunicorn.error", "gunicorn.access"):
        logger = logging.getLogger(name)
        monkeypatch.setattr(logger, "handlers", [])
        monkeypatch.setattr(logger, "propagate", logger.propagate)
    log = PlainAccessLog(Config())
    monkeypatch.setattr(log, "_access_log_enabled", True)
    monkeypatch.setattr(log.access_log, "info", lambda text, fields, extra: written.append((text, fields)))
    environ = {"REQUEST_METHOD": method, "RAW_URI": "/"}
    log.access(SimpleNamespace(status="405 No"), None, environ, timedelta(milliseconds=3))
    ((text, fields),) = written
    assert text % fields == f"{said} / 405 3 ms"


def test_each_room_of_the_portal_is_named() -> None:
    """Else nobody can tell from the logs where it is that people are refused."""
    rooms = {room for room, rest in _first_parts() if rest}
    assert {room for room in rooms if loggable(f"/{room}/", 404) != f"/{room}/"} == set()
    (known,) = re.findall(r"<known>/\(([a-z|]+)\)/", NGINX.read_text())
    assert set(known.split("|")) == rooms | {"static"}


def _first_parts() -> set[tuple[str, str]]:
    """Of each path of the portal what stands before and after the first slash."""
    paths = [str(each.pattern).partition("/") for each in get_resolver("bars_portal.urls").url_patterns]
    return {(first, slash) for first, slash, _ in paths}
