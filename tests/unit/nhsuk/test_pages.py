"""The layout, the navigation and the error pages, rendered without a database."""

import re
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.template import engines
from django.test import RequestFactory, override_settings
from django.urls import path

from bars_portal.nhsuk import pages

urlpatterns = [path("", lambda request: HttpResponse(), name="home")]
pytestmark = pytest.mark.urls(__name__)
REFERENCE = UUID("12345678-0000-4000-8000-000000000000")


def _request(**attributes: Any) -> HttpRequest:
    request = RequestFactory().get("/")
    request.correlation_id = REFERENCE  # type: ignore[attr-defined]  # as the portal's middleware does
    request._messages = []  # type: ignore[attr-defined]  # as Django's message middleware does
    for name, value in attributes.items():
        setattr(request, name, value)
    return request


def _page(body: str, request: HttpRequest, **values: Any) -> str:
    source = "{% extends 'layouts/page.jinja' %}" + body
    return engines["jinja2"].from_string(source).render(values, request)


@pytest.mark.parametrize(
    ("view", "status"),
    [
        (lambda r: pages.handler400(r, ValueError()), 400),
        (lambda r: pages.handler403(r, PermissionDenied()), 403),
        (lambda r: pages.handler404(r, Http404("secret")), 404),
        (pages.handler500, 500),
        (pages.unavailable, 503),
        (pages.csrf_failure, 403),
    ],
)
def test_error_pages_say_what_next_and_give_a_reference(view: Any, status: int) -> None:
    response = view(_request())
    html = response.content.decode()
    assert response.status_code == status
    assert html.count("<h1") == 1
    assert "12345678" in html
    assert str(REFERENCE) not in html
    assert "secret" not in html


def test_a_refusal_shows_the_policy_sentence() -> None:
    html = pages.handler403(_request(), PermissionDenied("Only clinicians may do <this>.")).content.decode()
    assert "Only clinicians may do &lt;this&gt;." in html


@pytest.mark.parametrize("handler", [pages.handler500, pages.unavailable])
def test_a_failure_page_does_not_ask_who_is_there(handler: Any) -> None:
    class Broken:
        def __getattr__(self, name: str) -> Any:
            raise ConnectionError

    response = handler(_request(acting=Broken(), user=Broken(), session=Broken()))
    assert response.status_code in (500, 503)


def test_a_failure_of_the_failure_page_still_answers(caplog: pytest.LogCaptureFixture) -> None:
    with override_settings(BARS={}):
        response = pages.handler500(_request())
    assert response.status_code == 500
    assert b"Sorry, there is a problem" in response.content
    assert "error page itself failed" in caplog.text


def test_the_layout_shows_environment_version_and_a_nonce() -> None:
    html = _page("{% block title %}Home{% endblock %}", _request(csp_nonce="n0nce"))
    assert "<title>Home - BaRS portal</title>" in html
    assert "Test: not for patients" in html
    assert "version 0.1.0" in html
    assert all('nonce="n0nce"' in tag for tag in re.findall(r"<script[^>]*>", html))
    assert not re.search(r"<style|\sstyle=|\son[a-z]+=", html)


def test_nobody_signed_in_means_no_navigation_and_no_dialog() -> None:
    html = _page("", _request(acting=None))
    assert "<dialog" not in html
    assert "Sign out" not in html


def test_the_signed_in_see_their_name_and_may_leave() -> None:
    user = SimpleNamespace(get_full_name=lambda: "Casey <b>", get_username=lambda: "casey")
    acting = SimpleNamespace(
        user=user, organisation=SimpleNamespace(name="Riverside"), permissions=frozenset()
    )
    html = _page("", _request(acting=acting))
    assert "Casey &lt;b&gt;" in html
    assert "Riverside" in html
    assert "Sign out" in html
    assert 'data-idle-seconds="900"' in html


def test_navigation_follows_permissions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "NAVIGATION", (pages.NavItem("find", "Find", "home", "may"),))
    assert [link.href for link in pages.links_for(frozenset({"may"}))] == ["/"]
    assert pages.links_for(frozenset({"other"})) == ()


def test_everybody_who_acts_finds_today() -> None:
    assert [link.text for link in pages.links_for(frozenset())] == ["Today"]


@pytest.mark.parametrize(
    ("environment", "label", "shown", "tone"),
    [
        ("prod", "", "Live", "live"),
        ("int", "", "INT: integration test, not for patients", "test"),
        ("simulator", "Demo: not for patients", "Demo: not for patients", "test"),
        ("prod", "Training", "Training", "test"),
    ],
)
def test_environment_bar(environment: str, label: str, shown: str, tone: str) -> None:
    with override_settings(BARS={"ENVIRONMENT": environment}, ENVIRONMENT_LABEL=label):
        assert pages.environment_facts() == {"name": environment, "label": shown, "tone": tone}
