from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    """Webhooks that are switched off, without all others; built beside whoever delivers."""

    atomic = False
    dependencies = [("api", "0004_usage")]

    operations = [
        AddIndexConcurrently(
            "webhook",
            models.Index(
                fields=["application"],
                condition=models.Q(off_at__isnull=False, removed_at=None),
                name="webhook_off",
            ),
        ),
    ]
