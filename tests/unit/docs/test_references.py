"""Whatever the documentation names is there: pages, files, make targets, commands, functions."""

import re
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path

import pytest
from django.core.management import get_commands

from tests.unit.docs.markdown import PAGES, ROOT, anchors, blocks, code_words, links, name, prose

# Folders that exist at run time only.
_MADE = ("var/", "node_modules/", "static/build/")
_PATH = re.compile(r"\.?[\w-]+(?:/[\w.-]*)+|[\w-]+\.(?:py|md|toml|yaml|txt|json|csv)")
# What the how-tos invent as their example, or lies in var/ or in every app.
_EXAMPLES = frozenset(
    {
        *("clinical.py", "__init__.py", "resources.py", "messages.py"),
        *("clients.json", "catalogue.json", "endpoint-catalogue.json", "cis2.json"),
        *("ca-chain.pem", "messages/"),
    }
)
_UNDER_A_HEAD = re.compile(r"\|[\s:|-]+")
_FUNCTION = re.compile(r"(?:\w+\.)*(\w+)\(\)")

every_page = pytest.mark.parametrize("page", PAGES, ids=name)


def targets() -> set[str]:
    return set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))


def sources() -> str:
    rooms = ("bars_portal", "bookings", "directory", "referrals", "tests")
    return "\n".join(path.read_text() for room in rooms for path in (ROOT / room).rglob("*.py"))


def paths(text: str) -> list[str]:
    found = [word for word in code_words(text) if _PATH.fullmatch(word)]
    return [word for word in found if not word.startswith(_MADE) and word not in _EXAMPLES]


def commands(text: str) -> list[str]:
    """Code in the page, inline and in shell blocks."""
    return [*code_words(text), *(line for block in blocks(text, "sh") for line in block.splitlines())]


def exists(path: str) -> bool:
    return (ROOT / path).is_dir() if path.endswith("/") else (ROOT / path).exists()


@every_page
def test_links_lead_somewhere(page: Path) -> None:
    for link in links(page.read_text()):
        target, _, anchor = link.partition("#")
        if "://" in target:
            continue
        file = (page.parent / target).resolve() if target else page
        assert file.exists(), f"{link} leads nowhere"
        assert not anchor or anchor in anchors(file.read_text()), f"{link}: no such heading"


@every_page
def test_files_exist(page: Path) -> None:
    missing = [path for path in paths(page.read_text()) if not exists(path)]
    assert missing == []


@every_page
def test_make_targets_exist(page: Path) -> None:
    named = {
        target for line in commands(page.read_text()) for target in re.findall(r"\bmake ([a-z-]+)", line)
    }
    assert named <= targets()


@every_page
def test_management_commands_exist(page: Path) -> None:
    lines = commands(page.read_text())
    named = {command for line in lines for command in re.findall(r"\bmanage\.py ([a-z_]+)", line)}
    assert named <= set(get_commands())


@every_page
def test_modules_exist(page: Path) -> None:
    lines = commands(page.read_text())
    named = {module for line in lines for module in re.findall(r"\b(bars_portal(?:\.[a-z_]+)+)", line)}
    assert [module for module in named if find_spec(module) is None] == []


@every_page
def test_every_row_is_in_a_table(page: Path) -> None:
    """A blank line before it, and it is shown as bare text with bars."""
    lines = prose(page.read_text()).splitlines()
    firsts = [each for each, (before, line) in enumerate(pairwise(["", *lines])) if _begins(before, line)]
    alone = [
        lines[each] for each in firsts if not _UNDER_A_HEAD.fullmatch("".join(lines[each + 1 : each + 2]))
    ]
    assert alone == []


def _begins(before: str, line: str) -> bool:
    return line.startswith("|") and not before.startswith("|")


def test_functions_exist() -> None:
    named = {
        match[1]
        for page in PAGES
        for word in code_words(page.read_text())
        if (match := _FUNCTION.fullmatch(word))
    }
    known = set(re.findall(r"\bdef (\w+)\(", sources()))
    assert sorted(named - known) == []


def test_the_checks_see_something() -> None:
    """A pattern that matches nothing would pass everywhere."""
    readme = (ROOT / "README.md").read_text()
    assert "bars_portal/exchange/" in paths(readme)
    assert "docs/ARCHITECTURE.md" in links(readme)
    assert "demo" in targets()
    assert "two-commands" in anchors(readme)


def test_every_page_is_reached() -> None:
    named = [(page, link.partition("#")[0]) for page in PAGES for link in links(page.read_text())]
    linked = {(page.parent / target).resolve() for page, target in named if target}
    alone = [name(page) for page in PAGES if page not in linked and page.parent not in linked]
    assert alone == ["README.md"]


@pytest.mark.parametrize("page", sorted((ROOT / "docs" / "adr").glob("0*.md")), ids=name)
def test_decisions_have_all_parts(page: Path) -> None:
    text = page.read_text()
    parts = {"context", "decision", "consequences", "alternatives"}
    assert parts <= anchors(text)
    assert 25 <= len(text.splitlines()) <= 45
