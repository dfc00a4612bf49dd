"""No function or class of the product is there for tests alone."""

import ast
import re
from collections import Counter
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

from tests.architecture.sources import ROOT, modules, templates

_WORD = re.compile(r"[A-Za-z_]\w*")
_WIRING = (
    "deploy/gunicorn_portal.py",
    "deploy/gunicorn_receiver_behind_nginx.py",
    "manage.py",
    "pyproject.toml",
)
# Called by name from outside, though no class that they override has them.
_CALLED_FROM_OUTSIDE = {"do_GET"}

Definition = ast.FunctionDef | ast.ClassDef


def words(files: list[Path]) -> Counter[str]:
    return Counter(word for each in files for word in _WORD.findall((ROOT / each).read_text()))


def definitions(body: list[ast.stmt], owner: str = "") -> Iterator[tuple[Definition, str]]:
    """Functions, classes, and methods with their class. Who is decorated was handed to somebody."""
    for each in body:
        if isinstance(each, ast.FunctionDef | ast.ClassDef) and not each.decorator_list:
            yield each, owner
        if isinstance(each, ast.ClassDef):
            yield from definitions(each.body, each.name)


def overrides(path: Path, owner: str, name: str) -> bool:
    """Whether a class that it builds on has such a method: then that one calls it."""
    found = getattr(import_module(".".join(path.with_suffix("").parts)), owner, None)
    return found is not None and any(name in vars(base) for base in found.__mro__[1:])


@pytest.mark.further
def test_what_only_tests_use_is_not_product() -> None:
    of_product = words([*modules(), *templates(), *map(Path, _WIRING)])
    of_tests = words([each.relative_to(ROOT) for each in (ROOT / "tests").rglob("*.py")])
    idle = [
        f"{path}: {found.name}"
        for path in modules()
        for found, owner in definitions(ast.parse((ROOT / path).read_text()).body)
        if of_product[found.name] == 1 and of_tests[found.name]
        if found.name not in _CALLED_FROM_OUTSIDE and not found.name.startswith("__")
        if not (owner and overrides(path, owner, found.name))
    ]
    assert idle == []
