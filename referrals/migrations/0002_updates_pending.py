from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    """Updates on their way, and lost ones, are found without a look at every case."""

    atomic = False

    dependencies = [("referrals", "0001_initial")]

    operations = [
        AddIndexConcurrently(
            model_name=name,
            index=models.Index(
                fields=["organisation"],
                condition=models.Q(("pending__isnull", False)),
                name=f"{name}_pending",
            ),
        )
        for name in ("referral", "validationcase")
    ]
