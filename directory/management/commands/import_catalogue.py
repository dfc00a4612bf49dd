"""manage.py import_catalogue FILE: services and endpoints from a catalogue in JSON or a list in CSV."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from directory.catalogue.entries import MOST_BYTES
from directory.management.catalogues import CatalogueCommand, organisation

_BY_SUFFIX = {".json": "routes", ".csv": "csv"}


class Command(CatalogueCommand):
    help = "Bring in a catalogue: JSON as the BaRS proxy reads it, or a CSV list of local services."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("file", type=Path)
        parser.add_argument(
            "--source", choices=sorted(_BY_SUFFIX.values()), help="when the suffix does not tell"
        )
        parser.add_argument(
            "--provider", default="", help="ODS code for new services that name no organisation"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        path: Path = options["file"]
        source = options["source"] or _BY_SUFFIX.get(path.suffix.lower())
        if source is None:
            raise CommandError("Say what the file is: --source routes, or --source csv.")
        self.bring_in(
            source=source,
            name=path.name,
            content=_read(path),
            provider=organisation(options["provider"]),
            options=options,
        )


def _read(path: Path) -> bytes:
    """One byte more than is allowed is enough to refuse it."""
    try:
        with path.open("rb") as file:
            return file.read(MOST_BYTES + 1)
    except OSError as fault:
        raise CommandError(f"The file cannot be read: {fault.strerror}.") from None
