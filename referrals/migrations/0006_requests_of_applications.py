from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    """For whom an application refers again; and a page of what was sent, wherever it begins."""

    atomic = False

    dependencies = [("referrals", "0003_duties_of_people")]

    operations = [
        migrations.AddField(
            model_name="rereferral", name="stated", field=models.JSONField(null=True)
        ),
        *(
            AddIndexConcurrently(
                model_name=name,
                index=models.Index(
                    fields=["organisation", "direction", "-created_at", "-id"], name=f"{name}_newest"
                ),
            )
            for name in ("referral", "validationcase")
        ),
    ]
