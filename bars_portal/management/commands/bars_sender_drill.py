"""Prove our sender: every published sentinel through the portal's services, and what a clinician is told."""

import sys
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from bars_portal.celery import app
from bars_portal.credentials.environments import ENVIRONMENTS
from bars_portal.exchange.gateway.client import get_client
from bars_portal.sender_drill.desk import Desk, DrillError, person, rows
from bars_portal.sender_drill.running import Result, run, write_report


class Command(BaseCommand):
    help = (
        "Search, book, cancel, refer, validate and answer against the simulator's sentinels, and compare "
        "what a clinician is told with the drill's table. Exit code 0: all passed, 1: some failed."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--scenario", default="", metavar="WORDS", help="only those with these words")
        parser.add_argument(
            "--report", metavar="DIR", help="folder for index.html, report.json and junit.xml"
        )
        parser.add_argument("--list", action="store_true", help="list the rows and do nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        wanted = options["scenario"].lower()
        chosen = [row for row in rows() if wanted in f"{row.scenario} {row.act}".lower()]
        if options["list"]:
            for row in chosen:
                self.stdout.write(f"{row.scenario}: {row.act}")
            return
        if not ENVIRONMENTS[settings.BARS["ENVIRONMENT"]].is_simulated:
            raise CommandError("The drill books and refers: it runs against the simulator only.")
        # What is sent is announced to the worker's own broker.
        app.set_default()
        results = run(self._desk(), chosen, note=self._note)
        if options["report"]:
            write_report(Path(options["report"]), results, now=timezone.now())
        failed = sum(not result.passed for result in results)
        self.stdout.write(f"{len(results) - failed} of {len(results)} passed.")
        if failed:
            sys.exit(1)

    def _desk(self) -> Desk:
        try:
            return Desk(person("clinician"), person("assessor"), get_client(), timezone.now)
        except DrillError as missing:
            raise CommandError(str(missing)) from None

    def _note(self, result: Result) -> None:
        verdict = self.style.SUCCESS("passed") if result.passed else self.style.ERROR("FAILED")
        self.stdout.write(f"{verdict} {result.row.scenario} ({result.row.act}, {result.seconds} s)")
        for finding in result.findings:
            self.stdout.write(f"       {finding}")
        self.stdout.flush()
