from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    """Reports of messages without a look at the messages: indexes with more in them take the others' names."""

    atomic = False
    dependencies = [("exchange", "0011_given_up")]

    operations = [
        migrations.RenameIndex("outboundmessage", new_name="outbound_log_before", old_name="outbound_log"),
        AddIndexConcurrently(
            "outboundmessage",
            models.Index(
                fields=["organisation", "created_at", "id"],
                include=["correlation_id", "service_id", "message_type", "state", "reason", "settled_at"],
                name="outbound_log",
            ),
        ),
        RemoveIndexConcurrently("outboundmessage", "outbound_log_before"),
        migrations.RenameIndex("inboundmessage", new_name="inbound_log_before", old_name="inbound_log"),
        AddIndexConcurrently(
            "inboundmessage",
            models.Index(
                fields=["service_id", "received_at", "id"],
                include=[
                    *("correlation_id", "source_service_id", "message_type", "state"),
                    *("sender_ods_code", "status_code", "completed_at"),
                ],
                name="inbound_log",
            ),
        ),
        RemoveIndexConcurrently("inboundmessage", "inbound_log_before"),
        AddIndexConcurrently(
            "deliveryattempt",
            models.Index(
                fields=["message"], include=["elapsed_ms", "outcome", "status_code"], name="attempt_reported"
            ),
        ),
    ]
