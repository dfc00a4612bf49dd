"""Say whether the trail is what was written: every event, the chain over them, and its signed heads."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from bars_portal.audit.chain import heads
from bars_portal.audit.chain.verification import Report, verify

_NOT_COVERED = (
    "An event that was removed before it was sealed (within 10 seconds of its commit) leaves no trace in the "
    "chain: that is covered by the roles of the database (manage.py database_roles)."
)


class Command(BaseCommand):
    help = (
        "Compare every audit event with the hash chain, and the chain with its signed heads. Exit code 0: "
        "nothing was changed, 1: something was, 2: it could not be checked."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--heads", type=Path, metavar="DIR", help="in place of AUDIT_HEADS_FOLDER")
        parser.add_argument("--json", action="store_true", help="the report as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            if options["heads"] and not options["heads"].is_dir():
                raise CommandError(f"{options['heads']} is no folder.", returncode=2)
            report = self._verify(options["heads"] or heads.folder())
        except (ImproperlyConfigured, OSError) as problem:
            raise CommandError(str(problem), returncode=2) from None
        if options["json"]:
            self.stdout.write(orjson.dumps({**report.as_json(), "not_covered": _NOT_COVERED}).decode())
        else:
            for line in _lines(report):
                self.stdout.write(line)
        if not report.is_intact:
            sys.exit(1)

    def _verify(self, place: Path | None) -> Report:
        kept = heads.read_heads(place) if place is not None else None
        return verify(heads=kept, keys=heads.believed_keys(), now=timezone.now())


def _lines(report: Report) -> Iterator[str]:
    yield f"{report.events} events in {report.seals} seals read; {report.heads} signed heads fit."
    if report.pruned:
        yield f"{report.pruned} older events went by retention; what stands for them is in the chain."
    for finding in report.findings:
        yield f"{finding.kind.upper()}: {finding.words}"
    more = report.found.total() - len(report.findings)
    if more:
        yield f"... and {more} more."
    waiting = report.unsealed
    if waiting.count:
        yield (
            f"Not sealed yet: {waiting.count} events, {waiting.first} to {waiting.last}, the oldest of "
            f"{waiting.oldest}. Where that is minutes ago, no sealer is running."
        )
    if not report.newest_head:
        yield "There is no signed head: a chain that was cut off or made anew as a whole would not be found."
    yield _NOT_COVERED
    yield "Nothing was changed." if report.is_intact else "THE TRAIL WAS CHANGED."
