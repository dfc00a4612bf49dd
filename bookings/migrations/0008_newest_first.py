from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    """Lists go from page to page along an index, which is built beside whoever books."""

    atomic = False
    dependencies = [("bookings", "0007_capacity_alarm")]

    operations = [
        AddIndexConcurrently(
            "booking",
            models.Index(
                fields=["organisation", "direction", "-created_at", "-id"], name="booking_newest_first"
            ),
        ),
    ]
