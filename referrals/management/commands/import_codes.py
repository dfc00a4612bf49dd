"""manage.py import_codes FILE: loads code lists, such as the licensed Pathways codes."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from bars_portal.audit.actor import Actor
from referrals.cases.codes import BadCodeFile, CodeRow, read_codes
from referrals.cases.settings import import_codes

_SHOWN_FAULTS = 20


class Command(BaseCommand):
    help = "Load code lists (CSV with the columns list, system, code, display), whole or not at all."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, help="the CSV file, UTF-8")
        parser.add_argument("--replace", action="store_true", help="no longer offer what the file has not")
        parser.add_argument("--dry-run", action="store_true", help="judge the whole file, write nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        dry_run = bool(options["dry_run"])
        counts = import_codes(
            rows=self._read(options["file"]),
            replace=bool(options["replace"]),
            actor=Actor(label="manage.py import_codes"),
            now=timezone.now(),
            dry_run=dry_run,
        )
        done = "Nothing written (dry run)" if dry_run else "Done"
        self.stdout.write(
            self.style.SUCCESS(f"{done}: {counts.read:,} codes read, {counts.withdrawn:,} no longer offered.")
        )

    def _read(self, path: Path) -> list[CodeRow]:
        try:
            with path.open(encoding="utf-8-sig", newline="") as lines:
                return read_codes(lines)
        except BadCodeFile as bad:
            more = len(bad.faults) - _SHOWN_FAULTS
            rest = [f"and {more:,} more."] if more > 0 else []
            told = "\n".join((*bad.faults[:_SHOWN_FAULTS], *rest))
            raise CommandError(f"{told}\nNothing was written. Correct the file and run it again.") from None
        except UnicodeDecodeError:
            raise CommandError("The file is not text in UTF-8.") from None
        except OSError as fault:
            raise CommandError(f"The file cannot be read: {fault.strerror}.") from None
