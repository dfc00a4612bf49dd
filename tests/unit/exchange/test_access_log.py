"""What the access log says of a path: nothing that somebody may have put there by mistake."""

from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from gunicorn.config import Config

from bars_portal.exchange.receiver.server.hooks import PlainAccessLog, loggable

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
    log = PlainAccessLog(Config())
    monkeypatch.setattr(log, "_access_log_enabled", True)
    monkeypatch.setattr(log.access_log, "info", lambda text, fields, extra: written.append((text, fields)))
    environ = {"REQUEST_METHOD": method, "RAW_URI": "/"}
    log.access(SimpleNamespace(status="405 No"), None, environ, timedelta(milliseconds=3))
    ((text, fields),) = written
    assert text % fields == f"{said} / 405 3 ms"
