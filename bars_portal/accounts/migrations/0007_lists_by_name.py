from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    """People of an organisation, and organisations, in the order of their lists."""

    atomic = False
    dependencies = [("accounts", "0006_people_found_by")]

    operations = [
        AddIndexConcurrently(
            "user",
            models.Index(
                fields=["last_name", "first_name", "username"],
                include=["id", "is_superuser", "is_active"],
                name="user_by_name",
            ),
        ),
        AddIndexConcurrently(
            "organisation", models.Index(fields=["name", "-id"], name="organisation_list")
        ),
    ]
