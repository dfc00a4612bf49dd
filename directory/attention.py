"""What waits for the people who run the exchange, for the home page."""

from collections.abc import Iterator
from datetime import datetime

from django.urls import reverse

from bars_portal.accounts.acting import Acting
from bars_portal.accounts.home import AttentionItem
from directory.selectors import count_lately_stopped


def attention(acting: Acting, now: datetime) -> Iterator[AttentionItem]:
    """Partners that stopped taking something: people who send there have to know of it."""
    if acting.may("directory.view_capabilitychange"):
        count = count_lately_stopped(now=now)
        label = (
            "service stopped accepting something" if count == 1 else "services stopped accepting something"
        )
        yield AttentionItem(
            f"{label} this week", count, reverse("admin:directory_capabilitychange_changelist")
        )
