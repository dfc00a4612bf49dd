"""manage.py sync_catalogue: what the Endpoint Catalogue API says of the organisations that we know."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from bars_portal.exchange.transport.client import CatalogueUnavailable
from directory.management.commands.import_catalogue import CatalogueCommand
from directory.services.catalogue import fetch_known_organisations


class Command(CatalogueCommand):
    help = "Fetch services and endpoints from the Endpoint Catalogue API and bring them in."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--organisation", action="append", default=[], help="ODS code; repeat it (default: all we know)"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            name, content = fetch_known_organisations(options["organisation"], progress=self._progress)
        except CatalogueUnavailable as problem:
            raise CommandError(f"{problem} Nothing written.") from None
        self.bring_in(source="api", name=name, content=content, provider=None, options=options)

    def _progress(self, ods_code: str, services: int) -> None:
        self.stdout.write(f"{ods_code}: {services:,} services")
