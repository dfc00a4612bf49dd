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


SHELL, PYTHON = ["bash", "-euo", "pipefail", "-c"], [sys.executable, "-c"]


@pytest.mark.parametrize(
    ("language", "part", "program", "said"),
    [
        ("sh", 1, SHELL, ("The appointment is booked: ", "Cancelled")),
        ("sh", 2, SHELL, ("True", "Sent", "Patient did not attend")),
        ("python", 1, PYTHON, ("Booked ",)),
        ("python", 2, PYTHON, ("Sent", "Outcome No ambulance is needed")),
    ],
)
def test_the_examples_do_what_they_say(
    stack: Stack, tmp_path: Path, language: str, part: int, program: list[str], said: tuple[str, ...]
) -> None:
    """Each after the first of its language, which asks for the token."""
    (tmp_path / "var").symlink_to(stack.var)
    parts = list(blocks(PAGE, language))
    example = parts[0] + parts[part]
    environment = {**os.environ, **demo_env(stack), "API": stack.portal}
    ran = subprocess.run(
        [*program, example], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120
    )
    assert ran.returncode == 0, ran.stderr
    lines = ran.stdout.splitlines()
    assert [line[: len(start)] for line, start in zip(lines, said, strict=True)] == list(said)
