"""Write docs/states-referrals.md from the tables of transitions."""

from typing import Any

from django.core.management.base import BaseCommand

from bars_portal.env import ROOT
from referrals.states_table import as_markdown


class Command(BaseCommand):
    help = __doc__

    def handle(self, *args: Any, **options: Any) -> None:
        target = ROOT / "docs" / "states-referrals.md"
        target.write_text(as_markdown(), encoding="utf-8")
        self.stdout.write("docs/states-referrals.md is written.")
