from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    # Messages arrive and leave while their tables get an index.
    atomic = False

    dependencies = [
        ("exchange", "0007_resending"),
    ]

    operations = [
        AddIndexConcurrently(
            model_name="inboundmessage", index=models.Index(fields=["bundle_id"], name="inbound_bundle")
        ),
        AddIndexConcurrently(
            model_name="outboundmessage", index=models.Index(fields=["bundle_id"], name="outbound_bundle")
        ),
    ]
