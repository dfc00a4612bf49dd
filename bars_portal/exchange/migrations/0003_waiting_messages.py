"""Indexes over what waits, in a table that may be large: built beside whoever writes to it."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models

_WAITING = models.Q(state__in=["queued", "unknown"])


class Migration(migrations.Migration):

    atomic = False
    dependencies = [("exchange", "0002_delivery_by_lease")]

    operations = [
        AddIndexConcurrently(
            "outboundmessage",
            models.Index(fields=["service_id", "created_at"], name="outbound_waiting", condition=_WAITING),
        ),
        AddIndexConcurrently(
            "outboundmessage",
            models.Index(
                fields=["lease_until"], name="outbound_lease", condition=models.Q(state="sending")
            ),
        ),
        AddIndexConcurrently(
            "outboundmessage",
            models.Index(fields=["abandon_at"], name="outbound_deadline", condition=_WAITING),
        ),
        AddIndexConcurrently(
            "outboundmessage",
            models.Index(
                fields=["read_back_at"],
                name="outbound_read_back",
                condition=models.Q(state="abandoned", read_back_at__isnull=False),
            ),
        ),
        AddIndexConcurrently(
            "outboundmessage",
            models.Index(
                fields=["organisation", "settled_at"],
                name="outbound_late",
                condition=models.Q(reason="late/applied"),
            ),
        ),
    ]
