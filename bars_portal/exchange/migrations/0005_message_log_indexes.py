"""Indexes of the message log, over tables that may be large: built beside whoever writes to them."""

from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models

_HAS_FOCUS = models.Q(focus_id__isnull=False)


class Migration(migrations.Migration):

    atomic = False
    dependencies = [("exchange", "0004_message_log")]

    operations = [
        AddIndexConcurrently(
            "inboundmessage",
            models.Index(
                fields=["service_id", "received_at", "id"],
                include=["correlation_id", "source_service_id", "message_type", "state"],
                name="inbound_log",
            ),
        ),
        AddIndexConcurrently(
            "inboundmessage",
            models.Index(fields=["service_id", "source_service_id", "received_at"], name="inbound_partner"),
        ),
        AddIndexConcurrently(
            "inboundmessage", models.Index(fields=["request_id"], name="inbound_request")
        ),
        AddIndexConcurrently(
            "inboundmessage", models.Index(fields=["focus_id"], name="inbound_focus", condition=_HAS_FOCUS)
        ),
        AddIndexConcurrently(
            "outboundmessage",
            models.Index(
                fields=["organisation", "created_at", "id"],
                include=["correlation_id", "service_id", "message_type", "state", "reason"],
                name="outbound_log",
            ),
        ),
        AddIndexConcurrently(
            "outboundmessage",
            models.Index(fields=["organisation", "service_id", "created_at"], name="outbound_partner"),
        ),
        AddIndexConcurrently(
            "outboundmessage", models.Index(fields=["focus_id"], name="outbound_focus", condition=_HAS_FOCUS)
        ),
        AddIndexConcurrently(
            "outboundmessage",
            models.Index(
                fields=["organisation", "settled_at"],
                name="outbound_troubled",
                condition=models.Q(state__in=["unknown", "refused", "abandoned"]),
            ),
        ),
        # The one above has all of its rows.
        RemoveIndexConcurrently("outboundmessage", "outbound_given_up"),
    ]
