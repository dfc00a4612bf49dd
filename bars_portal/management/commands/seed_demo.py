"""Fill the demo's database; safe to repeat."""

from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from bars_portal.demo.seed import seed


class Command(BaseCommand):
    help = "Make the demo's organisations, people, services and slots. Demo settings only."

    def handle(self, *args: Any, **options: Any) -> None:
        if not getattr(settings, "DEMO", False):
            raise CommandError("Demo data belongs to the demo settings only.")
        made = seed(now=datetime.now(UTC))
        self.stdout.write(f"Demo data is in place ({made} new slots).")
