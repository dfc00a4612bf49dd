from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    """Lists of bookings and their counts, without a look at the bookings; built beside whoever books."""

    atomic = False
    dependencies = [("bookings", "0012_attention")]

    operations = [
        AddIndexConcurrently(
            "booking",
            models.Index(
                fields=["organisation", "direction", "start"],
                include=("status", "created_at", "id", "service"),
                name="booking_by_start",
            ),
        ),
        AddIndexConcurrently(
            "booking",
            models.Index(
                fields=["organisation", "direction", "-created_at", "-id"],
                include=("status", "service", "sender_ods_code", "reference"),
                name="booking_by_creation",
            ),
        ),
        RemoveIndexConcurrently("booking", "booking_worklist"),
        RemoveIndexConcurrently("booking", "booking_newest_first"),
    ]
