"""manage.py import_postcodes FILE: loads the ONS Postcode Directory, so that searches know distances."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from directory.postcodes import BadPostcodeFile, read_postcodes
from directory.services.postcodes import ImportCounts, import_postcodes

_PROGRESS_EVERY = 100_000


class Command(BaseCommand):
    help = "Load the ONS Postcode Directory (CSV with the columns pcds or pcd, lat, long and doterm)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, help="the CSV file, as the ONS publishes it")
        parser.add_argument("--dry-run", action="store_true", help="read the whole file, write nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        dry_run = bool(options["dry_run"])
        try:
            counts = self._load(options["file"], dry_run)
        except BadPostcodeFile as fault:
            raise CommandError(f"{fault} Correct the file and run the command again.") from None
        except UnicodeDecodeError:
            raise CommandError("The file is not text in UTF-8.") from None
        except OSError as fault:
            raise CommandError(f"The file cannot be read: {fault.strerror}.") from None
        self.stdout.write(self.style.SUCCESS(_summary(counts, dry_run)))

    def _load(self, path: Path, dry_run: bool) -> ImportCounts:
        with path.open(encoding="utf-8-sig", newline="") as lines:
            return import_postcodes(rows=read_postcodes(lines), dry_run=dry_run, progress=self._progress)

    def _progress(self, read: int) -> None:
        if read % _PROGRESS_EVERY == 0:
            self.stdout.write(f"{read:,} rows read")


def _summary(counts: ImportCounts, dry_run: bool) -> str:
    written = "nothing written (dry run)" if dry_run else f"{counts.written:,} new or changed"
    return (
        f"{counts.read:,} rows read: {counts.live:,} postcodes, {written}; "
        f"{counts.terminated:,} terminated and {counts.without_position:,} without a position skipped."
    )
