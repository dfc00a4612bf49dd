from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    """Staff lists by the names of services and endpoints, and of what belongs to a service, from indexes."""

    atomic = False
    dependencies = [("directory", "0005_pauses")]

    operations = [
        AddIndexConcurrently(
            "healthcareservice", models.Index(fields=["name", "-id"], name="service_list")
        ),
        AddIndexConcurrently("endpoint", models.Index(fields=["name", "-id"], name="endpoint_list")),
    ]
