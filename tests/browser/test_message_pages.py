"""Received messages as pages, on a desktop and on a phone: readable, accessible, the warnings first."""

import mimetypes
import os
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.http import HttpRequest
from django.template import engines
from django.test import RequestFactory
from playwright.sync_api import Page, Route, expect

from bars_portal.exchange.fhir.codes import UseCase
from tests.browser.axe import assert_accessible, require_browser, sideways_scroll
from tests.browser.chromium import DESKTOP, PHONE, SMALLEST, browser_page
from tests.conftest import ROOT
from tests.unit.referrals.message_pages import own_messages, published_messages, view_of

pytestmark = pytest.mark.browser
SITE = "http://portal.test"
# A published example, and what we send ourselves where the examples are not at hand.
MESSAGES = {"REFREQ01": UseCase.A1T1, "VALREQ01": UseCase.A4T1, "REFREQ8A": UseCase.A6T1}
PAGE = (
    "{% extends 'layouts/page.jinja' %}{% block title %}Received message{% endblock %}"
    "{% block content %}{% include 'referrals/message/_message.jinja' %}{% endblock %}"
)


def shared() -> Path | None:
    folder = Path(os.environ.get("BARS_SHARED_DIR", ROOT.parent / "shared"))
    return folder if (folder / "fhir" / "examples").is_dir() else None


def request() -> HttpRequest:
    made = RequestFactory().get("/")
    made._messages = []  # type: ignore[attr-defined]  # as Django's message middleware does
    return made


def pages() -> dict[str, str]:
    """Path to page."""
    folder, own = shared(), own_messages()
    published = published_messages(folder) if folder else {}
    found = {name: published.get(name) or own[f"sent-{use_case}"] for name, use_case in MESSAGES.items()}
    template = engines["jinja2"].from_string(PAGE)
    return {f"/{name}/": template.render({"message": view_of(raw)}, request()) for name, raw in found.items()}


def serve(page: Page, documents: dict[str, str]) -> None:
    """The pages and the built assets, without a server."""

    def answer(route: Route) -> None:
        path = urlsplit(route.request.url).path
        asset = ROOT / path.lstrip("/")
        if path in documents:
            route.fulfill(body=documents[path], content_type="text/html; charset=utf-8")
        elif asset.is_file():
            kind = mimetypes.guess_type(asset.name)[0] or "application/octet-stream"
            route.fulfill(body=asset.read_bytes(), content_type=kind)
        else:
            route.fulfill(status=204)

    page.route(f"{SITE}/**", answer)


@pytest.fixture(scope="module")
def documents() -> dict[str, str]:
    require_browser()
    return pages()


@pytest.fixture(
    params=[
        pytest.param(DESKTOP, marks=pytest.mark.further),
        pytest.param(PHONE, marks=pytest.mark.thorough),
        SMALLEST,
    ]
)
def page(request: pytest.FixtureRequest, documents: dict[str, str]) -> Iterator[Page]:
    with browser_page(width=request.param) as opened:
        serve(opened, documents)
        yield opened
        opened.unroute(f"{SITE}/**")


@pytest.mark.parametrize("name", MESSAGES)
def test_a_message_is_readable_whole(page: Page, name: str) -> None:
    page.goto(f"{SITE}/{name}/")
    assert page.locator("h1").count() == 1
    assert_accessible(page)
    for summary in page.locator("summary").all():
        summary.click()
    assert_accessible(page)
    assert sideways_scroll(page) == 0


@pytest.mark.parametrize("name", MESSAGES)
def test_warnings_and_call_back_are_above_all_else(page: Page, name: str) -> None:
    page.goto(f"{SITE}/{name}/")
    top = page.locator(".app-message__top")
    expect(top.locator(".app-message__warning").first).to_be_visible()
    expect(top.get_by_text("Call-back number", exact=True)).to_be_visible()
    others = page.locator(".app-message__group").first
    above, below = top.bounding_box(), others.bounding_box()
    assert above is not None
    assert below is not None
    assert above["y"] + above["height"] <= below["y"]


def test_the_contents_lead_to_each_group(page: Page) -> None:
    page.goto(f"{SITE}/REFREQ01/")
    for link in page.locator(".app-message__contents a").all():
        anchor = str(link.get_attribute("href"))
        expect(page.locator(anchor)).to_be_visible()
