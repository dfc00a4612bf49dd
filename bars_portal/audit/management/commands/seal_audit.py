"""Seal the trail from a process of its own, and sign where its chain ends."""

import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from bars_portal.audit.chain import heads, sealer


class Command(BaseCommand):
    help = (
        "Take committed audit events into the hash chain. The worker does so every 5 seconds; this is for a "
        "process of its own (--every) and for a backlog. Several may run: one at a time seals."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--every", type=float, metavar="SECONDS", help="go on until stopped")
        parser.add_argument("--export", action="store_true", help="write a signed head afterwards")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["export"] and options["every"]:
            raise CommandError("--export is for a single round.")
        self._round()
        while options["every"]:
            time.sleep(options["every"])
            self._round()
        if options["export"]:
            self._export()

    def _round(self) -> None:
        sealed = sealer.seal_trail(now=timezone.now())
        if sealed is None:
            self.stdout.write("Another process is sealing.")
        elif sealed:
            self.stdout.write(f"{sealed} events sealed.")

    def _export(self) -> None:
        place = heads.folder()
        if place is None:
            raise CommandError("AUDIT_HEADS_FOLDER must name a folder for signed heads.")
        head = heads.export_head(place, now=timezone.now())
        self.stdout.write(f"Head of seal {head.number} written.")
