from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    """What was given up, apart from all else that failed; built beside whoever sends."""

    atomic = False
    dependencies = [("exchange", "0009_organisation_connection")]

    operations = [
        AddIndexConcurrently(
            "outboundmessage",
            models.Index(
                fields=["organisation", "settled_at"],
                name="outbound_given_up",
                condition=models.Q(state="abandoned")
                & ~models.Q(reason__in=("obsolete", "deadline/never-sent")),
            ),
        ),
    ]
