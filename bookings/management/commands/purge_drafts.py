"""Delete bookings in the making that nobody touched for a day."""

from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from bookings.services.requesting import purge_drafts


class Command(BaseCommand):
    help = __doc__

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(f"{purge_drafts(now=timezone.now())} drafts deleted.")
