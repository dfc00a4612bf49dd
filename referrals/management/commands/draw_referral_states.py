"""Write docs/states-referrals.md from the tables of transitions."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from referrals.states_table import as_markdown


class Command(BaseCommand):
    help = __doc__

    def handle(self, *args: Any, **options: Any) -> None:
        target = settings.BASE_DIR / "docs" / "states-referrals.md"
        target.write_text(as_markdown(), encoding="utf-8")
        self.stdout.write("docs/states-referrals.md is written.")
