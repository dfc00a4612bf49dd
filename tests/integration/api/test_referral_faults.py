"""What is wrong with a referral or validation: a page and the API name the same."""

import html
import re
from typing import Any
from uuid import uuid4

import pytest

from bars_portal.exchange.fhir.codes import UseCase
from bars_portal.patients.models import Patient
from referrals.parts.applications import application_of
from tests.factories.accounts import make_acting
from tests.integration.api.conftest import PATIENT, Hub
from tests.integration.booking_pages.conftest import client_of
from tests.integration.request_pages.conftest import Desk as PageDesk

pytestmark = pytest.mark.django_db

BAD: list[tuple[UseCase, str, dict[str, str], Any]] = [
    (UseCase.A1T1, "assessment", {}, {}),
    (UseCase.A1T1, "assessment", {"narrative": "x" * 20_001}, {"narrative": "x" * 20_001}),
    (
        UseCase.A3T1,
        "assessment",
        {"narrative": "Pain", "priority": "C9", "rows": "1", "row-0-kind": "odd", "row-0-what": "Dx0122"},
        {"narrative": "Pain", "priority": "C9", "outcomes": [{"kind": "odd", "what": "Dx0122"}]},
    ),
    (
        UseCase.A3T1,
        "assessment",
        {
            "narrative": "Pain",
            "priority": "C3",
            "connected": "21/11/2026 14:30",
            "answered": "21/11/2026 14:20",
            "rows": "1",
            "row-0-what": "Sore",
        },
        {
            "narrative": "Pain",
            "priority": "C3",
            "connected": "2026-11-21T14:30:00+00:00",
            "answered": "2026-11-21T14:20:00+00:00",
            "outcomes": [{"what": "Sore"}],
        },
    ),
    (
        UseCase.A4T1,
        "times",
        {"end-day": "1", "end-month": "1", "end-year": "2020", "end_time": "10:00"},
        {"end": "2020-01-01T10:00:00+00:00"},
    ),
    (UseCase.A4T1, "flags", {"scene": "U"}, {"scene": "U"}),
    (
        UseCase.A4T1,
        "places",
        {"rows": "1", "row-0-town": "Leeds", "row-0-what3words": "one.two", "row-0-latitude": "99"},
        [{"town": "Leeds", "what3words": "one.two", "latitude": "99"}],
    ),
    (
        UseCase.A1T1,
        "allergies",
        {"known": "none-known", "rows": "1", "row-0-what": "Penicillin", "row-0-reaction": "\x07"},
        {"known": "none-known", "allergies": [{"what": "Penicillin", "reaction": "\x07"}]},
    ),
    (
        UseCase.A5T1,
        "task",
        {"what": "Whatever", "description": "Call"},
        {"what": "Whatever", "description": "Call"},
    ),
    (UseCase.A6T2, "task", {}, {}),
    (UseCase.A6T1, "questions", {"noisy": "yes"}, {"noisy": "yes"}),
    (UseCase.A1T1, "observations", {"age": "151"}, {"age": "151"}),
    (UseCase.A1T1, "rejected-services", {"rows": "1", "row-0-name": "X"}, [{"name": "X"}]),
    (UseCase.A1T1, "consent", {}, {}),
]


@pytest.mark.parametrize(("use_case", "slug", "typed", "given"), BAD)
def test_a_page_and_the_api_name_the_same_faults(
    hub: Hub, use_case: UseCase, slug: str, typed: dict[str, str], given: Any
) -> None:
    acting = make_acting()
    desk = PageDesk(acting, client_of(acting), hub.service, hub.network)
    draft = desk.begin(use_case.value)
    desk.fill(draft, slug, typed)
    page = desk.client.get(desk.step(draft, slug)).content.decode()
    summary = page.partition("nhsuk-error-summary__list")[2].partition("</ul>")[0]
    lines = re.findall("<li>.*?</li>", summary, re.DOTALL)
    on_the_page = [html.unescape(re.sub("<[^>]*>", "", each)).strip() for each in lines]
    assert on_the_page
    section = slug.replace("-", "_")
    body = hub.body(use_case)
    body["content"][section] = given
    kind = application_of(use_case).category.value
    refused = hub.post(f"{kind}s/validate", body)
    assert refused.status_code == 422
    faults = refused.json()["errors"]
    assert [each["detail"] for each in faults] == on_the_page
    assert all(each["pointer"].startswith(f"/content/{section}") for each in faults)
    assert hub.post(f"{kind}s", body).json()["errors"] == faults
    assert not Patient.objects.exists()


def test_every_fault_of_a_body_is_named_at_once(hub: Hub) -> None:
    body = {
        "use_case": "a1t1",
        "patient": {**PATIENT, "phone": ""},
        "content": {"times": {"end": "soon"}, "task": {}},
        "booking": str(uuid4()),
        "journey": "x",
        "colour": 1,
    }
    wanted = ["/booking", "/colour", "/content/assessment", "/content/consent", "/content/task"]
    wanted += ["/content/times/end", "/journey", "/patient/phone", "/service"]
    for path in ("referrals/validate", "referrals"):
        refused = hub.post(path, body)
        assert sorted(each["pointer"] for each in refused.json()["errors"]) == wanted
    other = hub.post("validations", {**hub.body(UseCase.A4T1), "use_case": "a1t1", "booking": "x"})
    assert {each["pointer"] for each in other.json()["errors"]} == {"/use_case", "/booking"}
