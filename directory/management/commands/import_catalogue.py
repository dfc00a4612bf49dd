"""manage.py import_catalogue FILE: services and endpoints from a catalogue in JSON or a list in CSV.

`CatalogueCommand` is what it shares with sync_catalogue: who acts, what is shown, and how a refusal ends.
"""

import getpass
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from bars_portal.accounts.models import Organisation
from bars_portal.audit.actor import Actor
from directory.catalogue.comparing import Difference, described, summary
from directory.catalogue.entries import EVERYTHING, MOST_BYTES, BadCatalogue
from directory.services.catalogue import (
    CatalogueMoved,
    apply_catalogue,
    differences_of,
    preview_catalogue,
)

_SHOWN = 20


class CatalogueCommand(BaseCommand):
    """Shows what would change, then changes it, unless it is a dry run."""

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="show what would change, change nothing")
        parser.add_argument(
            "--by",
            default="",
            help="who answers for this, for the audit trail (default: the login of this machine)",
        )

    def bring_in(
        self,
        *,
        source: str,
        name: str,
        content: bytes,
        provider: Organisation | None,
        options: dict[str, Any],
    ) -> None:
        """Raises CommandError for a catalogue that is refused; then nothing is written."""
        with _refusals():
            if options["dry_run"]:
                self._show(differences_of(source, content, provider=provider, reach=EVERYTHING))
                self.stdout.write("Nothing written (dry run).")
                return
            self._apply(source, name, content, provider, options["by"])

    def _apply(self, source: str, name: str, content: bytes, provider: Organisation | None, by: str) -> None:
        actor = Actor(label=by or f"{getpass.getuser()} (command line)")
        preview = preview_catalogue(
            source=source,
            name=name,
            content=content,
            provider=provider,
            reach=EVERYTHING,
            actor=actor,
            now=timezone.now(),
        )
        self._show(preview.difference)
        apply_catalogue(
            catalogue=preview.catalogue,
            fingerprint=preview.difference.fingerprint,
            read=preview.read,
            reach=EVERYTHING,
            actor=actor,
            now=timezone.now(),
        )
        self.stdout.write(self.style.SUCCESS("Applied."))

    def _show(self, difference: Difference) -> None:
        self.stdout.write(f"{summary(difference.counts)}.")
        for service_id, kind, fields in described(difference, most=_SHOWN):
            self.stdout.write(f"  {service_id}  {kind}: {'; '.join(fields)}")
        if (more := len(difference.changes) - _SHOWN) > 0:
            self.stdout.write(f"  and {more:,} more")


def organisation(ods_code: str) -> Organisation | None:
    """Raises CommandError for a code that nobody has."""
    if not ods_code:
        return None
    try:
        return Organisation.objects.get(ods_code=ods_code.upper())
    except Organisation.DoesNotExist:
        raise CommandError(f"There is no organisation {ods_code}.") from None


@contextmanager
def _refusals() -> Iterator[None]:
    try:
        yield
    except BadCatalogue as refusal:
        lines = "\n".join(f"  {fault}" for fault in refusal.faults)
        raise CommandError(f"Refused, nothing written: {refusal.count:,} faults.\n{lines}") from None
    except CatalogueMoved:
        raise CommandError(
            "The directory changed meanwhile; nothing written. Run the command again."
        ) from None


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
