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
        RemoveIndexConcurrently("booking", "booking_worklist"),
    ]
