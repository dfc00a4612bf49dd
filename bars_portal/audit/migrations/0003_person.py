from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    """When somebody last did something for an organisation is found without a look at the whole trail."""

    atomic = False

    dependencies = [("audit", "0002_chain"), ("accounts", "0005_break_glass")]

    operations = [
        AddIndexConcurrently(
            model_name="auditevent",
            index=models.Index(
                fields=["organisation", "actor_user", "at"],
                condition=models.Q(("actor_user__isnull", False)),
                name="audit_person",
            ),
        ),
    ]
