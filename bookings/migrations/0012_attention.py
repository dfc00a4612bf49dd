from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    """What home counts of sent bookings, without those that wait for nobody; built beside whoever books."""

    atomic = False
    dependencies = [("bookings", "0010_waiting_list")]

    operations = [
        AddIndexConcurrently(
            "booking",
            models.Index(
                fields=["organisation", "status"],
                name="booking_attention",
                condition=models.Q(direction="sent")
                & (
                    models.Q(patient_told_at__isnull=True)
                    | models.Q(status__in=["unknown", "cancel-unknown", "not-as-asked"])
                ),
            ),
        ),
    ]
