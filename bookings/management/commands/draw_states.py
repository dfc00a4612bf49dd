"""Write docs/states.md from the table of transitions."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from bookings.states_table import as_markdown


class Command(BaseCommand):
    help = __doc__

    def handle(self, *args: Any, **options: Any) -> None:
        target = settings.BASE_DIR / "docs" / "states.md"
        target.write_text(as_markdown(), encoding="utf-8")
        self.stdout.write("docs/states.md is written.")
