"""Leases in place of a flat time limit, a deadline for each message, and circuits of partners.

New columns may be NULL: adding them touches no row.
"""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [("exchange", "0001_initial")]

    operations = [
        migrations.CreateModel(
            name="PartnerCircuit",
            fields=[
                ("service_id", models.CharField(max_length=20, primary_key=True, serialize=False)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("closed", "Answering"),
                            ("open", "Not answering: spared"),
                            ("half-open", "Not answering: being tried"),
                        ],
                        default="closed",
                        max_length=10,
                    ),
                ),
                ("failures", models.PositiveIntegerField(default=0)),
                ("probes", models.PositiveIntegerField(default=0)),
                ("failing_since", models.DateTimeField(null=True)),
                ("retry_at", models.DateTimeField(null=True)),
            ],
            options={"ordering": ["service_id"], "verbose_name": "partner's circuit"},
        ),
        migrations.AddField("outboundmessage", "abandon_at", models.DateTimeField(null=True)),
        migrations.AddField("outboundmessage", "lease_until", models.DateTimeField(null=True)),
        migrations.AddField("outboundmessage", "read_back_at", models.DateTimeField(null=True)),
        migrations.AddField("accesstoken", "server_ahead", models.IntegerField(null=True)),
    ]
