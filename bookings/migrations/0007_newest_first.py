from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    """Lists go from page to page along an index, which is built beside whoever books."""

    atomic = False
    dependencies = [("bookings", "0006_clinics")]

    operations = [
        AddIndexConcurrently(
            "booking",
            models.Index(
                fields=["organisation", "direction", "-created_at", "-id"], name="booking_newest_first"
            ),
        ),
    ]
