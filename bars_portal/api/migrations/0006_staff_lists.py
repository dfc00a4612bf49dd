from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    """Deliveries are searched by their webhook-id, which is that of the event; applications are listed by name.

    Built beside whoever writes.
    """

    atomic = False
    dependencies = [("api", "0005_webhooks_off")]

    operations = [
        AddIndexConcurrently("event", models.Index(fields=["uid"], name="api_event_uid")),
        AddIndexConcurrently("application", models.Index(fields=["name", "-id"], name="application_by_name")),
    ]
