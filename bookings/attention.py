"""What waits for a person, for the home page."""

from collections.abc import Iterator
from datetime import datetime

from django.urls import reverse

from bars_portal.accounts.acting import Acting
from bars_portal.accounts.home import AttentionItem
from bookings.selectors import attention_counts


def attention(acting: Acting, now: datetime) -> Iterator[AttentionItem]:
    """Half-done and unclear things first: the patient may have no appointment, or two."""
    counts = attention_counts(acting)
    listed = reverse("bookings:list")
    yield AttentionItem("rebookings without a new appointment", counts.half_rebooked, listed, urgent=True)
    yield AttentionItem("bookings not known", counts.not_known, f"{listed}?status=unknown", urgent=True)
    yield AttentionItem("patients to tell", counts.to_tell, listed)
