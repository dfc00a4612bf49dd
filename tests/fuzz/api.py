"""schemathesis at the REST API: right and wrong requests, and ways along the links of its document.

Once with every scope and once with one alone; then no answer may have named anything of another organisation.
"""

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import httpx
import psycopg

from tests.console import ROOT
from tests.fuzz.report import Report
from tests.live.partner import demo_env
from tests.stack import Stack

ALL_SCOPES, ONE_SCOPE = "", "bookings:read"
_CHECKS = (
    "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance,"
    "unsupported_method,missing_required_header,ensure_resource_availability,as_every_answer"
)
_GRACE_SECONDS = 180
# What belongs to somebody: ids of rows of other organisations than the application's.
_OF_OTHERS = """
SELECT id::text FROM bookings_booking WHERE organisation_id <> %(own)s
UNION ALL SELECT id::text FROM patients_patient WHERE organisation_id <> %(own)s
UNION ALL SELECT id::text FROM referrals_referral WHERE organisation_id <> %(own)s
UNION ALL SELECT id::text FROM referrals_validationcase WHERE organisation_id <> %(own)s
"""
_OWN = """
SELECT organisation_id FROM api_application JOIN accounts_user ON accounts_user.id = account_id
WHERE username = %s
"""


def fuzz_api(
    stack: Stack, report: Report, *, folder: Path, seconds: int, seed: int, scope: str = ALL_SCOPES
) -> None:
    """For as long as that, the program's start included; blames whatever fails, in `report`."""
    folder.mkdir(parents=True, exist_ok=True)
    document = folder / "openapi.json"
    document.write_bytes(httpx.get(f"{stack.portal}/api/schema/", timeout=30).raise_for_status().content)
    with (folder / "schemathesis.log").open("w") as log:
        done = subprocess.run(
            [
                *(sys.executable, "-m", "schemathesis.cli", "--no-color", "run", str(document)),
                *("--url", stack.portal, "--seed", str(seed), "--checks", _CHECKS, "--workers", "1"),
                *("--phases", "examples,coverage,fuzzing,stateful", "--max-time", str(seconds)),
                *("--continue-on-failure", "--no-shrink", "--request-timeout", "20"),
                *("--generation-database", "none", "--suppress-health-check", "all"),
                *("--output-sanitize", "false"),
            ],
            env=_environment(stack, folder, scope),
            cwd=folder,
            stdout=log,
            stderr=subprocess.STDOUT,
            timeout=seconds + _GRACE_SECONDS,
            check=False,
        )
    name = f"API {scope or 'all scopes'}"
    if done.returncode != 0:
        report.blame(f"{name}: schemathesis ended with {done.returncode}: see {folder / 'schemathesis.log'}")
    _take_notes(stack, folder / "notes.json", report, name)


def _environment(stack: Stack, folder: Path, scope: str) -> dict[str, str]:
    known = demo_env(stack)
    return {
        **os.environ,
        "SCHEMATHESIS_HOOKS": "tests.fuzz.api_hooks",
        "PYTHONPATH": str(ROOT),
        "NO_PROXY": "localhost,127.0.0.1",
        "FUZZ_NOTES": str(folder / "notes.json"),
        "FUZZ_API": stack.portal,
        "FUZZ_SCOPE": scope,
        **{name: known[name] for name in ("API_CLIENT_ID", "API_CLIENT_SECRET")},
    }


def _take_notes(stack: Stack, file: Path, report: Report, name: str) -> None:
    """What the hooks wrote down: counts, and every id that an answer held."""
    notes = json.loads(file.read_text()) if file.exists() else {"counts": {}, "ids": []}
    if not notes["counts"]:
        report.blame(f"{name}: schemathesis sent nothing")
    for operation, statuses in notes["counts"].items():
        report.statuses[f"{name} {operation}"] = Counter(statuses)
    with psycopg.connect(stack.launcher.database_url) as database:
        found = database.execute(_OWN, [demo_env(stack)["API_CLIENT_ID"]]).fetchone()
        if found is None:
            raise LookupError("The demo's application is not there.")
        others = {row[0] for row in database.execute(_OF_OTHERS, {"own": found[0]})}
    for each in others & set(notes["ids"]):
        report.blame(f"{name}: an answer named {each}, which is another organisation's")
