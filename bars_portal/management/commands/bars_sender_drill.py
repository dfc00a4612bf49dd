"""Prove our sender: every published sentinel through the portal's services, and what a clinician is told."""

import sys
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from bars_portal.accounts.models import Organisation
from bars_portal.celery import app
from bars_portal.credentials.environments import ENVIRONMENTS
from bars_portal.sender_drill.desk import DrillError, Row, demo_desk, own_desk, require_test_services, rows
from bars_portal.sender_drill.running import Result, Verdict, counted, run, run_at_int, write_report
from directory.selectors.services import service_ids_provided_by


class Command(BaseCommand):
    help = (
        "Search, book, cancel, refer, validate and answer against the sentinels of the test services, and "
        "compare what a clinician is told with the drill's table. Exit code 0: none failed, 1: some did."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--scenario", default="", metavar="WORDS", help="only those with these words")
        parser.add_argument(
            "--report", metavar="DIR", help="folder for index.html, report.json and junit.xml"
        )
        parser.add_argument(
            "--organisation",
            default="",
            metavar="ODS",
            help="act as this one, with its own key and services, as at int; else as the demo's people",
        )
        parser.add_argument("--list", action="store_true", help="list the rows and do nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        wanted = options["scenario"].lower()
        chosen = [row for row in rows() if wanted in f"{row.scenario} {row.act}".lower()]
        if options["list"]:
            for row in chosen:
                self.stdout.write(f"{row.scenario}: {row.act}")
            return
        # What is sent is announced to the worker's own broker.
        app.set_default()
        try:
            require_test_services()
            results = self._run(chosen, options["organisation"])
        except DrillError as missing:
            raise CommandError(str(missing)) from None
        if options["report"]:
            write_report(Path(options["report"]), results, now=timezone.now())
        counts = counted(results)
        left = f", {counts[Verdict.NOT_RUN]} not run" if counts[Verdict.NOT_RUN] else ""
        self.stdout.write(
            f"{counts[Verdict.PASSED]} of {len(results) - counts[Verdict.NOT_RUN]} passed{left}."
        )
        if counts[Verdict.FAILED]:
            sys.exit(1)

    def _run(self, chosen: list[Row], ods_code: str) -> list[Result]:
        """Raises DrillError."""
        if not ods_code:
            if not ENVIRONMENTS[settings.BARS["ENVIRONMENT"]].is_simulated:
                raise DrillError("Say which organisation acts: --organisation ODS.")
            return run(demo_desk(clock=timezone.now), chosen, note=self._note)
        organisation = Organisation.objects.filter(ods_code=ods_code).first()
        if organisation is None:
            raise DrillError("There is no organisation with that ODS code.")
        reachable = list(service_ids_provided_by(organisation.pk))
        desk = own_desk(organisation, reachable=reachable, clock=timezone.now)
        return run_at_int(desk, chosen, note=self._note)

    def _note(self, result: Result) -> None:
        styles = {Verdict.PASSED: self.style.SUCCESS, Verdict.FAILED: self.style.ERROR}
        verdict = styles.get(result.verdict, self.style.WARNING)(result.verdict.value)
        self.stdout.write(f"{verdict} {result.row.scenario} ({result.row.act}, {result.seconds} s)")
        for finding in result.findings:
            self.stdout.write(f"       {finding}")
        self.stdout.flush()
