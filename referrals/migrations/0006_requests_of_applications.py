from django.db import migrations, models


class Migration(migrations.Migration):
    """For whom an application refers again."""

    dependencies = [("referrals", "0003_duties_of_people")]

    operations = [
        migrations.AddField(model_name="rereferral", name="stated", field=models.JSONField(null=True)),
    ]
