"""The message log for engineers: unmaskings, dead letters that were dealt with, circuits over time, certificates.

New columns may be NULL: adding them touches no row.
"""

import uuid

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

_KEPT = django.db.models.deletion.PROTECT


def _to(model: str, **options: object) -> models.ForeignKey:
    return models.ForeignKey(on_delete=_KEPT, related_name="+", to=model, **options)


class Migration(migrations.Migration):

    dependencies = [
        ("accounts", "0002_installation_engineer"),
        ("exchange", "0003_waiting_messages"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="CircuitChange",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("service_id", models.CharField(max_length=20)),
                ("at", models.DateTimeField()),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("closed", "Answering"),
                            ("open", "Not answering: spared"),
                            ("half-open", "Not answering: being tried"),
                        ],
                        max_length=10,
                    ),
                ),
            ],
            options={
                "ordering": ["-at", "-id"],
                "constraints": [
                    models.UniqueConstraint(fields=("service_id", "at"), name="circuit_change_once")
                ],
            },
        ),
        migrations.CreateModel(
            name="DeadLetterDecision",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("settled_at", models.DateTimeField()),
                (
                    "decision",
                    models.CharField(
                        choices=[("set-aside", "Set aside"), ("settled", "Settled with the service")],
                        max_length=12,
                    ),
                ),
                ("note", models.CharField(max_length=300)),
                ("decided_at", models.DateTimeField()),
                ("actor_label", models.CharField(max_length=200)),
                ("actor_user", _to(settings.AUTH_USER_MODEL)),
                (
                    "message",
                    models.ForeignKey(
                        on_delete=_KEPT, related_name="decisions", to="exchange.outboundmessage"
                    ),
                ),
            ],
            options={
                "ordering": ["-decided_at"],
                "constraints": [
                    models.UniqueConstraint(fields=("message", "settled_at"), name="dead_letter_decided_once")
                ],
            },
        ),
        migrations.CreateModel(
            name="SeenCertificate",
            fields=[
                ("fingerprint", models.CharField(max_length=64, primary_key=True, serialize=False)),
                ("name", models.CharField(max_length=200)),
                ("issuer", models.CharField(max_length=300)),
                ("expires_at", models.DateTimeField()),
                ("first_seen_at", models.DateTimeField()),
                ("last_seen_at", models.DateTimeField()),
            ],
            options={"ordering": ["-last_seen_at"]},
        ),
        migrations.CreateModel(
            name="Unmasking",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("user_label", models.CharField(max_length=200)),
                ("reason", models.CharField(max_length=300)),
                ("at", models.DateTimeField()),
                ("until", models.DateTimeField()),
                ("inbound", _to("exchange.inboundmessage", null=True)),
                ("organisation", _to("accounts.organisation")),
                ("outbound", _to("exchange.outboundmessage", null=True)),
                ("user", _to(settings.AUTH_USER_MODEL)),
            ],
            options={
                "ordering": ["-at"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(outbound__isnull=False, inbound__isnull=True)
                        | models.Q(outbound__isnull=True, inbound__isnull=False),
                        name="unmasking_of_one_message",
                    ),
                    models.CheckConstraint(condition=~models.Q(reason=""), name="unmasking_has_reason"),
                ],
                "indexes": [
                    models.Index(fields=["organisation", "-at"], name="unmasking_report"),
                    models.Index(fields=["user", "until"], name="unmasking_lasting"),
                ],
            },
        ),
        migrations.AddField("inboundmessage", "focus_id", models.UUIDField(null=True)),
        migrations.AddField("outboundmessage", "focus_id", models.UUIDField(null=True)),
        migrations.AddField("partnercircuit", "changed_at", models.DateTimeField(null=True)),
    ]
