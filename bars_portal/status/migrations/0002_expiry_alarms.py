"""That staff were told once of each thing that ends, for each number of days."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [("status", "0001_initial")]

    operations = [
        migrations.CreateModel(
            name="ExpiryAlarm",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                ("fingerprint", models.CharField(max_length=64)),
                ("days", models.PositiveSmallIntegerField()),
                ("told_at", models.DateTimeField()),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("fingerprint", "days"), name="expiry_alarm_once")
                ],
            },
        ),
    ]
