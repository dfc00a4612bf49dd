from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    """A page of what was sent, newest first, is found wherever it begins."""

    atomic = False

    dependencies = [("referrals", "0006_requests_of_applications")]

    operations = [
        AddIndexConcurrently(
            model_name=name,
            index=models.Index(
                fields=["organisation", "direction", "-created_at", "-id"], name=f"{name}_newest"
            ),
        )
        for name in ("referral", "validationcase")
    ]
