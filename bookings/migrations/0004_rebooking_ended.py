from django.db import migrations, models


class Migration(migrations.Migration):
    """A column that may be empty: no row is written, and nobody waits."""

    dependencies = [("bookings", "0003_booking_not_as_asked")]

    operations = [
        migrations.AddField(
            model_name="rebooking",
            name="ended_at",
            field=models.DateTimeField(null=True),
        ),
    ]
