"""Habits that every file keeps: short, explained, no inline script, the clock only at the edges."""

import ast
import re
from pathlib import Path

import pytest

from tests.architecture.sources import ROOT, modules, templates

LONGEST = 400
# Where time enters, beside views, admin pages, tasks, commands and middleware.
EDGES = {
    "bars_portal/accounts/decorators.py",
    "bars_portal/accounts/home.py",
    "bars_portal/accounts/security.py",
    "bars_portal/api/oauth.py",
    "bars_portal/audit/staff_lists.py",
    "bars_portal/audit/staff_pages.py",
    "bars_portal/celery.py",
    "bars_portal/demo/setup.py",
    "bars_portal/demo/first_booking.py",
    "bars_portal/demo/onboarding.py",
    "bars_portal/exchange/gateway/client.py",
    "bars_portal/health.py",
    "bars_portal/nhsuk/pages.py",
    "bookings/api/base.py",
    "bookings/api/bookings.py",
    "bookings/api/slots.py",
    "directory/api/services.py",
    "referrals/api/cases.py",
    "referrals/api/cases_changes.py",
    "referrals/api/cases_decisions.py",
    "referrals/api/journeys.py",
    "referrals/api/referrals.py",
    "referrals/api/referrals_base.py",
    "referrals/api/referrals_changes.py",
}
EDGE_NAMES = {"views", "admin", "tasks", "commands", "middleware", "management"}
_CLOCK = re.compile(r"\b(?:datetime|timezone|date)\.(?:now|utcnow|today)\b|\blocaldate\(|\blocaltime\(\)")
_INLINE = re.compile(
    r"<script(?![^>]*\bsrc=)|<style\b|\sstyle=|\son(?:click|load|submit|change|input|focus|blur|key\w+)=|javascript:",
    re.IGNORECASE,
)


def text(path: Path) -> str:
    return (ROOT / path).read_text()


def test_every_module_is_short() -> None:
    assert [str(each) for each in modules() if len(text(each).splitlines()) > LONGEST] == []


def test_every_public_module_says_what_it_is() -> None:
    public = [each for each in modules() if text(each).strip() and not each.stem.startswith("_")]
    assert len(public) > 200
    assert [str(each) for each in public if not ast.get_docstring(ast.parse(text(each)))] == []


def is_edge(path: Path) -> bool:
    return str(path) in EDGES or bool(EDGE_NAMES & {*path.parts, path.stem})


def test_the_clock_is_an_argument() -> None:
    """The simulator is a program of its own."""
    asking = [each for each in modules() if _CLOCK.search(text(each)) and "simulator" not in each.parts]
    assert asking
    assert [str(each) for each in asking if not is_edge(each)] == []


def test_every_listed_edge_really_asks_for_the_time() -> None:
    assert {each for each in EDGES if not _CLOCK.search(text(Path(each)))} == set()


def test_secrets_of_a_deployment_are_never_committed() -> None:
    """compose.yaml takes them from there."""
    assert "./deploy/secrets/" in text(Path("compose.yaml"))
    assert "secrets/" in text(Path("deploy/.gitignore")).splitlines()


def test_no_template_has_an_inline_script_or_style() -> None:
    assert len(templates()) > 20
    assert [str(each) for each in templates() if _INLINE.search(text(each))] == []


@pytest.mark.parametrize(
    "bad",
    [
        "<script>alert(1)</script>",
        '<p style="color: red">',
        '<a href="javascript:x">',
        '<b onclick="x">',
        "<style>",
    ],
)
def test_the_search_for_inline_script_finds_it(bad: str) -> None:
    assert _INLINE.search(bad)


@pytest.mark.parametrize(
    ("library", "importer"),
    [
        ("httpx", "bars_portal/http.py"),
        ("authlib.integrations.httpx_client", "bars_portal/accounts/cis2/issuer.py"),
        ("authlib.integrations.django_oauth2", "bars_portal/api/oauth.py"),
        ("jwt", "bars_portal/exchange/transport/auth.py"),
    ],
)
def test_one_module_imports(library: str, importer: str) -> None:
    """The contract forbids it room by room; this sees every file."""
    importing = [
        str(each)
        for each in modules()
        if re.search(rf"^\s*(?:import|from) {library}\b", text(each), re.MULTILINE)
        and "simulator" not in each.parts
    ]
    assert importing == [importer]
