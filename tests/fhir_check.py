"""The published checker of the profiles in this process: its packages are read once, not once a test."""

from collections.abc import Callable
from functools import cache
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

Finding = tuple[str, str, str, str]
Read = Callable[[Path], list[Finding]]


def assert_no_errors(shared_dir: Path, folder: Path) -> None:
    """In any JSON or XML file of the folder, of which there must be one."""
    files = sorted(file for file in folder.iterdir() if file.suffix in (".json", ".xml"))
    assert files, "nothing to check"
    findings = _checker(shared_dir / "tools")
    errors = [
        f"{file.name} {place or '-'} {rule} {text}"
        for file in files
        for level, place, rule, text in findings(file)
        if level == "error"
    ]
    assert not errors, "\n".join(errors)


@cache
def _checker(tools: Path) -> Read:
    spec = spec_from_file_location("fhir_check", tools / "fhir_check.py")
    assert spec is not None
    assert spec.loader is not None
    tool: Any = module_from_spec(spec)
    spec.loader.exec_module(tool)
    core = tool.Core(tool.CORE_TABLE)
    checker, reader = tool.Checker(core, tool.Packages(tool.DEFAULT_PACKAGES)), tool.XmlReader(core)

    def findings(file: Path) -> list[Finding]:
        try:
            # The checker keeps the list and begins a new one.
            return list(checker.check(tool.load(file, reader)))
        except (ValueError, SyntaxError, RecursionError) as problem:
            return [("error", "", "read", str(problem))]

    return findings
