from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models

_ANSWERING = (
    *("accept", "start", "reject", "complete", "record-non-attendance"),
    *("hear-accepted", "hear-started", "hear-rejected", "hear-completed", "hear-non-attendance"),
)


class Migration(migrations.Migration):
    """When cases were first answered, without all their other steps; built beside whoever decides."""

    atomic = False
    dependencies = [("referrals", "0008_reactions_of_allergies")]

    operations = [
        AddIndexConcurrently(
            "casestatuschange",
            models.Index(
                fields=[owner, "at", "event"],
                name=f"case_answered_{owner}",
                condition=models.Q(event__in=_ANSWERING, **{f"{owner}__isnull": False}),
            ),
        )
        for owner in ("referral", "validation")
    ]
