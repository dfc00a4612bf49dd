"""The machine and what is installed on it: Python, packages, settings, database, folders, file modes."""

import os
import re
from collections.abc import Iterator
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from urllib.parse import urlsplit

from django.conf import settings
from django.core import checks as django_checks
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from packaging.requirements import InvalidRequirement, Requirement

from bars_portal.credentials.intake import Unusable, read_key
from bars_portal.credentials.keys import SECRET, keep_mode
from bars_portal.exchange.gateway.senders import has_shared
from bars_portal.sql import database_time
from bars_portal.status import checks
from bars_portal.status.doctor.examination import (
    Examination,
    Finding,
    Verdict,
    Visit,
    fine,
    skipped,
    warning,
    wrong,
)
from bars_portal.status.models import Level
from bars_portal.status.watched import key_files, read_file

LEAST_PYTHON = (3, 11)
_MOST_NAMED = 5
_VERDICTS = {Level.WELL: Verdict.FINE, Level.WARNING: Verdict.WARNING, Level.WRONG: Verdict.WRONG}


def _python(visit: Visit) -> Finding:
    found = ".".join(map(str, visit.python))
    return fine(f"{found}.") if visit.python >= LEAST_PYTHON else wrong(f"It is {found}.")


def _packages(visit: Visit) -> Iterator[Finding]:
    if not visit.lock_file.is_file():
        yield skipped(f"There is no {visit.lock_file.name} here.")
        return
    pinned = list(_pins(visit.lock_file.read_text()))
    missing = [each.name for each, found in pinned if found is None]
    others = [f"{each.name} {found}" for each, found in pinned if found and found not in each.specifier]
    if missing:
        yield wrong(f"Not installed: {_listed(missing)}.")
    if others:
        yield warning(f"Another version than the lock file's: {_listed(others)}.")
    if not missing and not others:
        yield fine(f"All {len(pinned)} are as the lock file has them.")


def _pins(lock: str) -> Iterator[tuple[Requirement, str | None]]:
    """Of this platform: what is pinned, and which version is installed."""
    for line in lock.splitlines():
        if not re.match(r"[A-Za-z0-9]", line):
            continue
        with suppress(InvalidRequirement):
            wanted = Requirement(line.removesuffix("\\").strip())
            if wanted.marker is None or wanted.marker.evaluate():
                yield wanted, _installed(wanted.name)


def _installed(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    return f"{', '.join(names[:_MOST_NAMED])}{more}"


def _settings(_visit: Visit) -> Iterator[Finding]:
    found = [each for each in django_checks.run_checks() if not each.is_silenced()]
    serious = [each for each in found if each.is_serious()]
    for each in serious:
        yield wrong(f"{each.id}: {str(each.msg).splitlines()[0]}")
    for each in found:
        if each not in serious and each.level >= django_checks.WARNING:
            yield warning(f"{each.id}: {str(each.msg).splitlines()[0]}")
    if not found:
        yield fine(f"Django finds no fault in {os.environ.get('DJANGO_SETTINGS_MODULE', 'them')}.")


_IDENTITY = ("ODS_CODE", "ORGANISATION_NAME", "SERVICE_ID")
_APPLICATION = ("API_KEY", "KEY_ID", "PRIVATE_KEY_FILE")


def _identity(visit: Visit) -> Finding:
    # Without any of them organisations send as themselves, or not at all: their own examination says so.
    wanted = (*_IDENTITY, *(_APPLICATION if visit.environment.needs_token and has_shared() else ()))
    missing = [f"BARS_{name}" for name in wanted if not settings.BARS[name]]
    if missing:
        return wrong(f"Not set: {', '.join(missing)}.")
    return fine(f"{settings.BARS['ODS_CODE']}, in {visit.environment.title}.")


def _database(_visit: Visit) -> Finding:
    database_time()
    return fine("It answers.")


def _migrations(_visit: Visit) -> Finding:
    executor = MigrationExecutor(connection)
    missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if not missing:
        return fine("All are applied.")
    return wrong(f"Not applied: {_listed([f'{each.app_label}.{each.name}' for each, _ in missing])}.")


def _of_status(check: checks.Check) -> Examination:
    """What the status page looks at, looked at here too: there is one truth."""

    def look(visit: Visit) -> Finding:
        found = check.look(checks.Moment(database_time(), visit.now))
        return Finding(_VERDICTS[found.level], found.fact)

    return Examination(
        name=check.name,
        title=check.title,
        look=look,
        todo=check.todo,
        where="docs/how-to/watch-the-portal.md",
        needs=("migrations",),
    )


def _loose_keys() -> dict[str, Path]:
    """Files of private keys that others on this machine may read, by their setting."""
    files = {setting: Path(path) for setting, (path, _) in key_files().items()}
    return {name: file for name, file in files.items() if file.is_file() and file.stat().st_mode & 0o077}


def _key_modes(_visit: Visit) -> Finding:
    loose = _loose_keys()
    if not loose:
        return fine("Only their owner may read them.")
    return warning(f"Others on this machine may read: {', '.join(loose)}.")


def _tighten(_visit: Visit) -> str:
    loose = _loose_keys()
    for file in loose.values():
        keep_mode(file, SECRET)
    return f"Mode 600 was set for {', '.join(loose)}."


def _heads_folder(_visit: Visit) -> Finding:
    folder = settings.AUDIT_HEADS_FOLDER
    if not folder:
        return skipped("AUDIT_HEADS_FOLDER is not set here: the worker's is what counts.")
    if not Path(folder).is_dir():
        return wrong("The folder of AUDIT_HEADS_FOLDER is not there.")
    if not os.access(folder, os.W_OK):
        return wrong("The folder of AUDIT_HEADS_FOLDER cannot be written to.")
    return fine("It can be written to.")


def _make_heads_folder(_visit: Visit) -> str:
    Path(settings.AUDIT_HEADS_FOLDER).mkdir(mode=0o700, parents=True, exist_ok=True)
    return "The folder was made."


def _cis2(visit: Visit) -> Finding:
    """Signing in with NHS CIS2: its settings fit one another, or it is not used."""
    cis2 = settings.CIS2
    if not cis2["ISSUER"]:
        return fine("It is not used: people sign in here.")
    if missing := [f"CIS2_{name}" for name in ("CLIENT_ID", "KEY_ID", "PRIVATE_KEY_FILE") if not cis2[name]]:
        return wrong(f"Not set: {', '.join(missing)}.")
    if not cis2["ISSUER"].startswith("https:") and not visit.environment.is_simulated:
        return wrong("CIS2_ISSUER is no https address.")
    try:
        read_key(read_file(cis2["PRIVATE_KEY_FILE"]), least_bits=_LEAST_CIS2_BITS)
    except OSError:
        return wrong("The file of CIS2_PRIVATE_KEY_FILE cannot be read.")
    except Unusable as fault:
        return wrong(f"CIS2_PRIVATE_KEY_FILE: {fault.sentence}")
    host = urlsplit(cis2["ISSUER"]).hostname
    return fine(f"People sign in at {host} as the application {cis2['CLIENT_ID']}.")


_LEAST_CIS2_BITS = 2048
_README = "README.md, the table of environment variables"
MACHINE = (
    Examination(
        "python",
        "Python",
        _python,
        "Install Python 3.11 or later, and make a new environment with it.",
        "README.md, what it needs",
    ),
    Examination(
        "packages",
        "Packages",
        _packages,
        "Install what the lock file has: pip install --require-hashes -r requirements/production.txt",
        "docs/how-to/change-a-dependency.md",
    ),
    Examination(
        "settings", "Settings", _settings, "Correct the setting that is named, and start again.", _README
    ),
    Examination(
        "identity",
        "Who we are",
        _identity,
        "Set what is named; the onboarding gives each value.",
        _README,
        needs=("settings",),
    ),
    Examination(
        "database-answers",
        "Connection to the database",
        _database,
        "Start PostgreSQL, or correct DATABASE_URL: address, name, user and password.",
        "docs/how-to/run-against-a-real-postgresql.md",
    ),
    Examination(
        "migrations",
        "Migrations",
        _migrations,
        "Run: manage.py migrate",
        "docs/how-to/run-against-a-real-postgresql.md",
        needs=("database-answers",),
    ),
    *(_of_status(check) for check in checks.CHECKS),
    Examination(
        "key-modes",
        "Files of private keys",
        _key_modes,
        "Set the mode of each to 600, or run with --fix.",
        _README,
        fix=_tighten,
    ),
    Examination(
        "cis2",
        "Signing in with NHS CIS2",
        _cis2,
        "Set what is named to what NHS CIS2 has registered, or unset CIS2_ISSUER.",
        _README,
    ),
    Examination(
        "heads-folder",
        "Folder of signed heads",
        _heads_folder,
        "Make the folder, or run with --fix.",
        "docs/how-to/keep-the-audit-trail.md",
        fix=_make_heads_folder,
    ),
)
