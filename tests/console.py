"""A Python kept open beside the stack: a new interpreter for each case would cost two seconds of a core."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from traceback import format_exc
from typing import Self

ROOT = Path(__file__).resolve().parent.parent


class Console:
    """Runs code in another process, one piece after the other; what a piece defines ends with it."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-m", "tests.console"],
            cwd=ROOT,
            env={**os.environ, **environment},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def run(self, code: str) -> str:
        """What the code printed. Raises RuntimeError with the traceback of what it raised."""
        asked, told = self._process.stdin, self._process.stdout
        assert asked is not None
        assert told is not None
        asked.write(json.dumps(code) + "\n")
        asked.flush()
        printed, raised = json.loads(told.readline())
        if raised:
            raise RuntimeError(raised)
        return str(printed)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate()


def serve() -> None:
    """Answers each line of standard input until it ends."""
    import django
    from django.db import close_old_connections

    # Whatever writes to standard output by itself must not write among the answers.
    with os.fdopen(os.dup(1), "w") as answers:
        os.dup2(2, 1)
        django.setup()
        for line in sys.stdin:
            answers.write(json.dumps(_outcome(json.loads(line))) + "\n")
            answers.flush()
            close_old_connections()


def _outcome(code: str) -> tuple[str, str]:
    printed = StringIO()
    try:
        with redirect_stdout(printed):
            exec(compile(code, "<console>", "exec"), {"__name__": "console"})
    except (Exception, SystemExit):  # noqa: BLE001 - whoever asked raises it
        return printed.getvalue(), format_exc()
    return printed.getvalue(), ""


if __name__ == "__main__":
    serve()
