from django.db import migrations, models


class Migration(migrations.Migration):
    """A column that the database fills by itself: no row is written."""

    dependencies = [("bookings", "0008_newest_first")]

    operations = [
        migrations.AddField(
            model_name="booking",
            name="explanation_code",
            field=models.CharField(blank=True, db_default="", default="", max_length=30),
        ),
    ]
