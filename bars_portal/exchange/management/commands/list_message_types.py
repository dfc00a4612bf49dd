"""Every registered message type, one line each."""

from typing import Any

from django.core.management.base import BaseCommand

from bars_portal.exchange.registry import message_types


class Command(BaseCommand):
    help = "List the message types that this portal understands."

    def handle(self, *args: Any, **options: Any) -> None:
        for kind in sorted(message_types(), key=lambda each: each.key):
            reasons = ",".join(sorted(kind.reasons))
            statuses = ",".join(sorted(kind.focus_statuses))
            self.stdout.write(f"{kind.key}\t{kind.event}\t{reasons}\t{kind.focus_type}: {statuses}")
