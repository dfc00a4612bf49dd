"""schemathesis against the receiver's own description, as a program of its own with hooks of ours."""

import json
import os
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from tests.console import ROOT
from tests.fuzz.report import Report
from tests.stack import Stack

_CHECKS = (
    "not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,"
    "response_schema_conformance,unsupported_method,ids_echoed"
)
_PROGRAM = (sys.executable, "-m", "schemathesis.cli", "--no-color", "run")
_GRACE_SECONDS = 180


@dataclass(frozen=True)
class Door:
    """How to get in: the receiver's base URL and the files of mutual TLS."""

    url: str
    certificate: Path
    key: Path
    authority: Path


def door_of(stack: Stack) -> Door:
    pki = stack.pki
    return Door(stack.receiver, pki.certificate("proxy-client"), pki.key("proxy-client"), pki.ca_chain)


@dataclass(frozen=True)
class Budget:
    """So many seconds, its start included; or so many random examples of each operation, once.

    Each header, parameter and verb in turn ("coverage") are hundreds of requests: only with seconds.
    """

    seconds: int = 0
    examples: int = 0

    @property
    def options(self) -> list[str]:
        if self.seconds:
            return ["--phases", "examples,coverage,fuzzing", "--max-time", str(self.seconds)]
        return ["--phases", "examples,fuzzing", "--max-examples", str(self.examples)]


def fuzz_described(description: Path, door: Door, report: Report, *, budget: Budget, seed: int) -> None:
    """Every described operation with right and wrong parameters, headers and bodies; blames what fails."""
    folder = report.folder
    with (folder / "schemathesis.log").open("w") as log:
        done = subprocess.run(
            [*_PROGRAM, str(description), *_options(door, seed), *budget.options],
            env=_environment(folder, seed),
            cwd=folder,
            stdout=log,
            stderr=subprocess.STDOUT,
            timeout=budget.seconds + _GRACE_SECONDS,
            check=False,
        )
    _take_counts(folder / "counts.json", report)
    if done.returncode != 0:
        report.blame(f"schemathesis ended with {done.returncode}: see {folder / 'schemathesis.log'}")


def _options(door: Door, seed: int) -> list[str]:
    return [
        *("--url", door.url, "--seed", str(seed), "--checks", _CHECKS),
        # One worker: with two, Python 3.11's parser stumbles over itself (AST recursion depth).
        *("--continue-on-failure", "--no-shrink", "--workers", "1"),
        *("--request-cert", str(door.certificate), "--request-cert-key", str(door.key)),
        *("--tls-verify", str(door.authority), "--request-timeout", "20"),
        *("--generation-database", "none", "--suppress-health-check", "all", "--output-sanitize", "false"),
    ]


def _environment(folder: Path, seed: int) -> dict[str, str]:
    return {
        **os.environ,
        "SCHEMATHESIS_HOOKS": "tests.fuzz.hooks",
        "PYTHONPATH": str(ROOT),
        "NO_PROXY": "localhost,127.0.0.1",
        "FUZZ_COUNTS": str(folder / "counts.json"),
        "FUZZ_SEED": str(seed),
    }


def _take_counts(file: Path, report: Report) -> None:
    counts: dict[str, dict[str, int]] = json.loads(file.read_text()) if file.exists() else {}
    if not counts:
        report.blame("schemathesis sent nothing")
    for kind, statuses in counts.items():
        report.statuses[f"st {kind}"] = Counter(statuses)
