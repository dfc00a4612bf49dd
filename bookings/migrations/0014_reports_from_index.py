from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    """Reports of appointments without a look at the bookings: an index with more in it takes the other's name."""

    atomic = False
    dependencies = [("bookings", "0013_lists_from_index")]

    operations = [
        migrations.RenameIndex("booking", new_name="booking_by_start_before", old_name="booking_by_start"),
        AddIndexConcurrently(
            "booking",
            models.Index(
                fields=["organisation", "direction", "start"],
                include=("status", "created_at", "id", "service", "slot", "sender_ods_code"),
                name="booking_by_start",
            ),
        ),
        RemoveIndexConcurrently("booking", "booking_by_start_before"),
    ]
