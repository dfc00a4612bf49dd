"""The API as a new user tries it: the how-to's examples, as they stand, over the running stack."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.live.partner import demo_env
from tests.stack import Stack
from tests.unit.docs.markdown import ROOT, blocks

PAGE = (ROOT / "docs" / "how-to" / "call-the-api.md").read_text()


@pytest.mark.parametrize(
    ("language", "program", "said"),
    [
        ("sh", ["bash", "-euo", "pipefail", "-c"], ("The appointment is booked: ", "Cancelled")),
        ("python", [sys.executable, "-c"], ("Booked ",)),
    ],
)
def test_the_example_books(
    stack: Stack, tmp_path: Path, language: str, program: list[str], said: tuple[str, ...]
) -> None:
    (tmp_path / "var").symlink_to(stack.var)
    (example,) = blocks(PAGE, language)
    environment = {**os.environ, **demo_env(stack), "API": stack.portal}
    ran = subprocess.run(
        [*program, example], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120
    )
    assert ran.returncode == 0, ran.stderr
    lines = ran.stdout.splitlines()
    assert [line[: len(start)] for line, start in zip(lines, said, strict=True)] == list(said)
