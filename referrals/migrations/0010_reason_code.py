from django.db import migrations, models


class Migration(migrations.Migration):
    """Columns that the database fills by itself: no row is written."""

    dependencies = [("referrals", "0009_answered_steps")]

    operations = [
        migrations.AddField(
            model_name=name,
            name="explanation_code",
            field=models.CharField(blank=True, db_default="", default="", max_length=30),
        )
        for name in ("referral", "validationcase")
    ]
