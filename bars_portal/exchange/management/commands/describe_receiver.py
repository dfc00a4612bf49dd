"""The receiver's FHIR endpoints as an OpenAPI document."""

import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from bars_portal.exchange.fhir.identifiers import InvalidIdentifier, ServiceID
from bars_portal.exchange.receiver.schema import describe


class Command(BaseCommand):
    help = "Describe the receiver's FHIR endpoints in OpenAPI 3.1."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--output", type=Path, help="write to this file instead of printing")
        parser.add_argument("--service", default="2000099999", help="the service id that the examples name")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            service_id = ServiceID.parse(options["service"])
        except InvalidIdentifier as problem:
            raise CommandError(f"--service: {problem}.") from None
        text = json.dumps(describe(service_id=service_id), indent=2) + "\n"
        if options["output"] is None:
            self.stdout.write(text, ending="")
        else:
            options["output"].write_text(text)
