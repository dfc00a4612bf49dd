"""Every rule on messages, one line each, or the page that documents them."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from bars_portal.exchange.fhir.rules import all_rules
from bars_portal.exchange.fhir.rules.document import rules_page


class Command(BaseCommand):
    help = "List the rules that messages must satisfy, in the order in which they decide."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--markdown", action="store_true", help="print docs/rules.md")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["markdown"]:
            self.stdout.write(rules_page(), ending="")
            return
        for rule in all_rules():
            self.stdout.write(f"{rule.id}\t{rule.section}\t{rule.severity}\t{rule.sentence}")
