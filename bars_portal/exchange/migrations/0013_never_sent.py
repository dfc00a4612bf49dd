from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    """Dead letters without all else that failed: what was never sent gets an index beside what was given up."""

    atomic = False
    dependencies = [("exchange", "0012_reports_from_indexes")]

    operations = [
        AddIndexConcurrently(
            "outboundmessage",
            models.Index(
                fields=["organisation", "settled_at"],
                name="outbound_never_sent",
                condition=models.Q(state="abandoned", reason="deadline/never-sent"),
            ),
        ),
    ]
