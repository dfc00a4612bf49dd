"""The README's tables and the code agree on every environment variable, both ways."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from bars_portal.simulator.config import OPTIONS
from tests.unit.docs.markdown import ROOT, first_cells

_NAME = re.compile(r"[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)*")
# env.text("X"), os.environ.get("X"), environment.get("X"), whole_number(environment, "X", ...)
_HOLDERS = frozenset({"env", "os.environ", "environment"})
_READERS = frozenset({"whole_number", "required_file", "optional_file"})
_OPERATING_SYSTEM = frozenset({"PATH"})


def read_in(source: str) -> set[str]:
    """Names of variables that a module reads."""
    return {name for node in ast.walk(ast.parse(source)) for name in _read_by(node)}


def _read_by(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.Call(func=ast.Attribute(value=holder), args=[first, *_]) if ast.unparse(holder) in _HOLDERS:
            yield from _variable(first)
        case ast.Call(func=ast.Name(id=reader), args=[_, name, *_]) if reader in _READERS:
            yield from _variable(name)
        case ast.Subscript(value=holder, slice=name) if ast.unparse(holder) in _HOLDERS:
            yield from _variable(name)
        case ast.Compare(left=name, comparators=[holder]) if ast.unparse(holder) in _HOLDERS:
            yield from _variable(name)
        case ast.FunctionDef(args=ast.arguments(defaults=defaults)):
            # env.database(name="DATABASE_URL")
            yield from (name for default in defaults for name in _variable(default) if "_" in name)


def _variable(node: ast.expr) -> Iterator[str]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str) and _NAME.fullmatch(node.value):
        yield node.value


def modules() -> list[Path]:
    folders = (path for room in ("bars_portal", "deploy") for path in (ROOT / room).rglob("*.py"))
    return [*folders, ROOT / "tests" / "conftest.py"]


def read_by_code() -> set[str]:
    python = set().union(*(read_in(path.read_text()) for path in modules()))
    compose = set(re.findall(r"\$\{([A-Z_]+)", (ROOT / "compose.yaml").read_text()))
    simulator = {f"SIMULATOR_{option.replace('-', '_').upper()}" for option, *_ in OPTIONS}
    return (python | compose | simulator) - _OPERATING_SYSTEM


def in_tables() -> list[str]:
    cells = (
        cell.strip("`") for cell in first_cells((ROOT / "README.md").read_text()) if cell.startswith("`")
    )
    return [cell for cell in cells if _NAME.fullmatch(cell)]


def test_every_variable_has_its_row_and_every_row_its_variable() -> None:
    documented, read = set(in_tables()), read_by_code()
    assert sorted(read - documented) == []
    assert sorted(documented - read) == []


@pytest.mark.parametrize(
    "source",
    [
        'env.text("BARS_X", "")',
        'os.environ.get("BARS_X")',
        'os.environ["BARS_X"]',
        '"BARS_X" not in os.environ',
        'environment.get("BARS_X")',
        'required_file(environment, "BARS_X")',
        'def database(name: str = "BARS_X"): ...',
    ],
)
def test_reading_is_seen(source: str) -> None:
    assert read_in(source) == {"BARS_X"}


@pytest.mark.parametrize("source", ['environ.get("REMOTE_ADDR")', 'headers.get("ACCEPT")', 'x = "BARS_X"'])
def test_other_names_are_not_variables(source: str) -> None:
    assert read_in(source) == set()
