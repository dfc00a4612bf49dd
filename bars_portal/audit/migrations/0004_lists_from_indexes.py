from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    """What filters offer, and whose events a search finds, without a look at the events; built beside whoever writes."""

    atomic = False
    dependencies = [("audit", "0003_person")]

    operations = [
        AddIndexConcurrently("auditevent", models.Index(fields=["action", "-at", "-id"], name="audit_action")),
        AddIndexConcurrently("auditevent", models.Index(fields=["actor_label", "-at", "-id"], name="audit_label")),
        AddIndexConcurrently(
            "auditevent",
            models.Index(
                fields=["outcome", "-at", "-id"], name="audit_outcome", condition=~models.Q(outcome="done")
            ),
        ),
    ]
