import uuid
from typing import Any

import django.contrib.postgres.fields
import django.contrib.postgres.indexes
import django.core.validators
import django.db.models.deletion
import django.db.models.fields.json
import django.db.models.functions.text
from django.conf import settings
from django.db import migrations, models

import bars_portal.correspondence.states
import bars_portal.exchange.fhir.json
import referrals.cases.states
from referrals.cases.codes import published_rows


# The published codes become the first rows of the code lists, so that staff find them there.
def seed(apps: Any, schema_editor: Any) -> None:
    model = apps.get_model("referrals", "ListedCode")
    model.objects.bulk_create(
        (
            model(list_name=row.list, system=row.system, code=row.code, display=row.display)
            for row in published_rows()
        ),
        ignore_conflicts=True,
    )


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("accounts", "0001_initial"),
        ("bookings", "0001_initial"),
        ("directory", "0001_initial"),
        ("exchange", "0001_initial"),
        ("patients", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="ListedCode",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "list_name",
                    models.CharField(
                        choices=[
                            ("outcomes", "Triage outcomes and dispositions"),
                            ("adjustments", "Reasonable adjustments"),
                            ("tasks", "What is asked"),
                            ("complaints", "Presenting complaints"),
                            ("observations", "Observations"),
                            ("procedures", "Procedures"),
                            ("medicines", "Medicines"),
                            ("substances", "Substances of allergies"),
                        ],
                        max_length=20,
                        verbose_name="list",
                    ),
                ),
                ("system", models.CharField(max_length=200)),
                ("code", models.CharField(max_length=100)),
                ("display", models.CharField(max_length=300, verbose_name="words")),
                ("offered", models.BooleanField(default=True)),
            ],
            options={
                "ordering": ["list_name", "id"],
                "constraints": [
                    models.UniqueConstraint(fields=("list_name", "system", "code"), name="listed_code_once")
                ],
            },
        ),
        migrations.CreateModel(
            name="Referral",
            fields=[
                (
                    "id",
                    models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False),
                ),
                (
                    "direction",
                    models.CharField(choices=[("sent", "Sent"), ("received", "Received")], max_length=8),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("requested", "Sending"),
                            ("sent", "Sent"),
                            ("refused", "Not sent"),
                            ("unknown", "Not known whether it arrived"),
                            ("revoking", "Being taken back"),
                            ("revoke-unknown", "Not known whether it is taken back"),
                            ("received", "Received"),
                            ("accepted", "Accepted"),
                            ("in-progress", "In progress"),
                            ("completed", "Completed"),
                            ("rejected", "Rejected"),
                            ("did-not-attend", "Did not attend"),
                            ("revoked", "Revoked"),
                            ("entered-in-error", "Entered in error"),
                        ],
                        max_length=20,
                    ),
                ),
                ("correlation_id", models.UUIDField()),
                ("use_case", models.CharField(max_length=20)),
                ("priority", models.CharField(blank=True, max_length=20)),
                ("occurrence_start", models.DateTimeField(null=True)),
                ("breach_at", models.DateTimeField(null=True)),
                ("authored_on", models.DateTimeField(null=True)),
                (
                    "case_number",
                    models.CharField(blank=True, max_length=100, verbose_name="requester's case number"),
                ),
                (
                    "requester_ods_code",
                    models.CharField(blank=True, max_length=12, verbose_name="requester's ODS code"),
                ),
                ("requester_name", models.CharField(blank=True, max_length=200, verbose_name="requester")),
                (
                    "flags",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=20), default=list, size=None
                    ),
                ),
                ("safeguarding", models.BooleanField(default=False, verbose_name="safeguarding concern")),
                (
                    "scene_unsafe",
                    models.BooleanField(default=False, verbose_name="scene not known to be safe"),
                ),
                (
                    "booking_ids",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.UUIDField(), default=list, size=None
                    ),
                ),
                ("reference", models.CharField(blank=True, max_length=64)),
                (
                    "remote_id",
                    models.CharField(blank=True, max_length=64, verbose_name="receiver's request id"),
                ),
                ("source_service_id", models.CharField(blank=True, max_length=20)),
                (
                    "sender_ods_code",
                    models.CharField(blank=True, max_length=12, verbose_name="sender's ODS code"),
                ),
                ("sender_name", models.CharField(blank=True, max_length=200, verbose_name="sender")),
                ("sender_full_url", models.CharField(blank=True, max_length=200)),
                (
                    "resource",
                    models.JSONField(
                        decoder=bars_portal.exchange.fhir.json.ResourceDecoder,
                        default=dict,
                        encoder=bars_portal.exchange.fhir.json.ResourceEncoder,
                    ),
                ),
                (
                    "included",
                    models.JSONField(
                        decoder=bars_portal.exchange.fhir.json.ResourceDecoder,
                        encoder=bars_portal.exchange.fhir.json.ResourceEncoder,
                        null=True,
                    ),
                ),
                ("sender_stamps", models.JSONField(default=dict)),
                ("content", models.JSONField(default=dict)),
                (
                    "pending",
                    models.JSONField(
                        decoder=bars_portal.exchange.fhir.json.ResourceDecoder,
                        encoder=bars_portal.exchange.fhir.json.ResourceEncoder,
                        null=True,
                    ),
                ),
                ("ending", models.CharField(blank=True, max_length=20)),
                ("end_reason", models.CharField(blank=True, max_length=300)),
                ("explanation", models.CharField(blank=True, max_length=300)),
                ("draft_id", models.UUIDField(null=True, unique=True)),
                ("onward_from", models.UUIDField(null=True)),
                ("version", models.PositiveIntegerField(default=1)),
                ("created_at", models.DateTimeField(db_index=True)),
                ("updated_at", models.DateTimeField()),
                (
                    "assigned_to",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "journey",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="%(class)ss",
                        to="patients.journey",
                    ),
                ),
                (
                    "message",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="exchange.inboundmessage",
                    ),
                ),
                (
                    "organisation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="%(class)ss",
                        to="accounts.organisation",
                    ),
                ),
                (
                    "patient",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="%(class)ss",
                        to="patients.patient",
                    ),
                ),
                (
                    "service",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="%(class)ss",
                        to="directory.healthcareservice",
                    ),
                ),
            ],
            options={
                "ordering": ["-created_at"],
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="BookingLink",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("made_by_label", models.CharField(max_length=200)),
                ("made_at", models.DateTimeField()),
                (
                    "booking",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="referral_links",
                        to="bookings.booking",
                    ),
                ),
                (
                    "made_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "referral",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="booking_links",
                        to="referrals.referral",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Rereferral",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("content", models.JSONField(default=dict)),
                ("started_at", models.DateTimeField()),
                (
                    "made",
                    models.OneToOneField(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="rereferred_from",
                        to="referrals.referral",
                    ),
                ),
                (
                    "revoked",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="rereferral",
                        to="referrals.referral",
                    ),
                ),
                (
                    "service",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="directory.healthcareservice",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="SavedFilter",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("name", models.CharField(max_length=60)),
                ("chosen", models.JSONField(default=dict)),
                ("created_at", models.DateTimeField()),
                (
                    "organisation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="accounts.organisation",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": [django.db.models.functions.text.Lower("name")],
            },
        ),
        migrations.CreateModel(
            name="UnmatchedReply",
            fields=[
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("interim", "Started"),
                            ("rejected", "Rejected"),
                            ("full", "Outcome"),
                            ("did-not-attend", "Patient did not attend"),
                            ("cad-status", "Ambulance control status"),
                            ("cad-rejection", "Ambulance control rejection"),
                        ],
                        max_length=20,
                    ),
                ),
                ("bundle_id", models.CharField(max_length=64)),
                ("answers_bundle_id", models.CharField(max_length=64)),
                ("responder_status", models.CharField(blank=True, max_length=20)),
                ("reason_code", models.CharField(blank=True, max_length=20)),
                ("reason_text", models.CharField(blank=True, max_length=500)),
                ("responder_reference", models.CharField(blank=True, max_length=100)),
                ("responder_stamp", models.DateTimeField(null=True)),
                (
                    "cad_id",
                    models.CharField(blank=True, max_length=100, verbose_name="new ambulance control case"),
                ),
                (
                    "request_status",
                    models.CharField(blank=True, max_length=20, verbose_name="ServiceRequest status"),
                ),
                ("outcomes", models.JSONField(default=list)),
                ("priority", models.CharField(blank=True, max_length=20)),
                ("clock_start", models.DateTimeField(null=True)),
                ("action_needed", models.BooleanField(null=True)),
                ("safeguarding", models.BooleanField(default=False, verbose_name="safeguarding concern")),
                ("source_service_id", models.CharField(blank=True, max_length=20)),
                (
                    "sender_ods_code",
                    models.CharField(blank=True, max_length=12, verbose_name="sender's ODS code"),
                ),
                ("sender_name", models.CharField(blank=True, max_length=200, verbose_name="sender")),
                ("received_at", models.DateTimeField(db_index=True)),
                (
                    "id",
                    models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False),
                ),
                ("handled_at", models.DateTimeField(null=True)),
                (
                    "handled_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "journey",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="unmatched_replies",
                        to="patients.journey",
                    ),
                ),
                (
                    "message",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="exchange.inboundmessage",
                    ),
                ),
                (
                    "organisation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="unmatched_replies",
                        to="accounts.organisation",
                    ),
                ),
                (
                    "patient",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="unmatched_replies",
                        to="patients.patient",
                    ),
                ),
                (
                    "service",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="unmatched_replies",
                        to="directory.healthcareservice",
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "unmatched replies",
                "ordering": ["-received_at"],
            },
        ),
        migrations.CreateModel(
            name="ValidationCase",
            fields=[
                (
                    "id",
                    models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False),
                ),
                (
                    "direction",
                    models.CharField(choices=[("sent", "Sent"), ("received", "Received")], max_length=8),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("requested", "Sending"),
                            ("sent", "Sent"),
                            ("refused", "Not sent"),
                            ("unknown", "Not known whether it arrived"),
                            ("revoking", "Being taken back"),
                            ("revoke-unknown", "Not known whether it is taken back"),
                            ("received", "Received"),
                            ("accepted", "Accepted"),
                            ("in-progress", "In progress"),
                            ("completed", "Completed"),
                            ("rejected", "Rejected"),
                            ("did-not-attend", "Did not attend"),
                            ("revoked", "Revoked"),
                            ("entered-in-error", "Entered in error"),
                        ],
                        max_length=20,
                    ),
                ),
                ("correlation_id", models.UUIDField()),
                ("use_case", models.CharField(max_length=20)),
                ("priority", models.CharField(blank=True, max_length=20)),
                ("occurrence_start", models.DateTimeField(null=True)),
                ("breach_at", models.DateTimeField(null=True)),
                ("authored_on", models.DateTimeField(null=True)),
                (
                    "case_number",
                    models.CharField(blank=True, max_length=100, verbose_name="requester's case number"),
                ),
                (
                    "requester_ods_code",
                    models.CharField(blank=True, max_length=12, verbose_name="requester's ODS code"),
                ),
                ("requester_name", models.CharField(blank=True, max_length=200, verbose_name="requester")),
                (
                    "flags",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=20), default=list, size=None
                    ),
                ),
                ("safeguarding", models.BooleanField(default=False, verbose_name="safeguarding concern")),
                (
                    "scene_unsafe",
                    models.BooleanField(default=False, verbose_name="scene not known to be safe"),
                ),
                (
                    "booking_ids",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.UUIDField(), default=list, size=None
                    ),
                ),
                ("reference", models.CharField(blank=True, max_length=64)),
                (
                    "remote_id",
                    models.CharField(blank=True, max_length=64, verbose_name="receiver's request id"),
                ),
                ("source_service_id", models.CharField(blank=True, max_length=20)),
                (
                    "sender_ods_code",
                    models.CharField(blank=True, max_length=12, verbose_name="sender's ODS code"),
                ),
                ("sender_name", models.CharField(blank=True, max_length=200, verbose_name="sender")),
                ("sender_full_url", models.CharField(blank=True, max_length=200)),
                (
                    "resource",
                    models.JSONField(
                        decoder=bars_portal.exchange.fhir.json.ResourceDecoder,
                        default=dict,
                        encoder=bars_portal.exchange.fhir.json.ResourceEncoder,
                    ),
                ),
                (
                    "included",
                    models.JSONField(
                        decoder=bars_portal.exchange.fhir.json.ResourceDecoder,
                        encoder=bars_portal.exchange.fhir.json.ResourceEncoder,
                        null=True,
                    ),
                ),
                ("sender_stamps", models.JSONField(default=dict)),
                ("content", models.JSONField(default=dict)),
                (
                    "pending",
                    models.JSONField(
                        decoder=bars_portal.exchange.fhir.json.ResourceDecoder,
                        encoder=bars_portal.exchange.fhir.json.ResourceEncoder,
                        null=True,
                    ),
                ),
                ("ending", models.CharField(blank=True, max_length=20)),
                ("end_reason", models.CharField(blank=True, max_length=300)),
                ("explanation", models.CharField(blank=True, max_length=300)),
                ("draft_id", models.UUIDField(null=True, unique=True)),
                ("onward_from", models.UUIDField(null=True)),
                ("version", models.PositiveIntegerField(default=1)),
                ("created_at", models.DateTimeField(db_index=True)),
                ("updated_at", models.DateTimeField()),
                (
                    "assigned_to",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "journey",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="%(class)ss",
                        to="patients.journey",
                    ),
                ),
                (
                    "message",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="exchange.inboundmessage",
                    ),
                ),
                (
                    "organisation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="%(class)ss",
                        to="accounts.organisation",
                    ),
                ),
                (
                    "patient",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="%(class)ss",
                        to="patients.patient",
                    ),
                ),
                (
                    "service",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="%(class)ss",
                        to="directory.healthcareservice",
                    ),
                ),
            ],
            options={
                "ordering": ["-created_at"],
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="RequestDraft",
            fields=[
                (
                    "id",
                    models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False),
                ),
                ("use_case", models.CharField(max_length=20)),
                ("typed", models.JSONField(default=dict)),
                ("onward_from", models.UUIDField(null=True)),
                ("created_at", models.DateTimeField()),
                ("updated_at", models.DateTimeField(db_index=True)),
                (
                    "booking",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="bookings.booking",
                    ),
                ),
                (
                    "journey",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="patients.journey",
                    ),
                ),
                (
                    "organisation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="accounts.organisation",
                    ),
                ),
                (
                    "replaces",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="referrals.referral",
                    ),
                ),
                (
                    "service",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="directory.healthcareservice",
                    ),
                ),
                (
                    "updates_referral",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="referrals.referral",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "updates_validation",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="referrals.validationcase",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="CaseVersion",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("number", models.PositiveIntegerField()),
                ("bundle_id", models.CharField(blank=True, max_length=64)),
                (
                    "resource",
                    models.JSONField(
                        decoder=bars_portal.exchange.fhir.json.ResourceDecoder,
                        default=dict,
                        encoder=bars_portal.exchange.fhir.json.ResourceEncoder,
                    ),
                ),
                ("at", models.DateTimeField()),
                (
                    "message",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="exchange.inboundmessage",
                    ),
                ),
                (
                    "referral",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="%(class)s_rows",
                        to="referrals.referral",
                    ),
                ),
                (
                    "validation",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="%(class)s_rows",
                        to="referrals.validationcase",
                    ),
                ),
            ],
            options={
                "ordering": ["number"],
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="CaseStatusChange",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("event", models.CharField(max_length=30)),
                ("from_status", models.CharField(blank=True, max_length=20)),
                ("to_status", models.CharField(max_length=20)),
                ("at", models.DateTimeField()),
                ("actor_label", models.CharField(max_length=200)),
                ("note", models.CharField(blank=True, max_length=300)),
                ("version", models.PositiveIntegerField()),
                (
                    "actor_user",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "message",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="exchange.inboundmessage",
                    ),
                ),
                (
                    "referral",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="%(class)s_rows",
                        to="referrals.referral",
                    ),
                ),
                (
                    "validation",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="%(class)s_rows",
                        to="referrals.validationcase",
                    ),
                ),
            ],
            options={
                "ordering": ["at", "id"],
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="CaseReply",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("interim", "Started"),
                            ("rejected", "Rejected"),
                            ("full", "Outcome"),
                            ("did-not-attend", "Patient did not attend"),
                            ("cad-status", "Ambulance control status"),
                            ("cad-rejection", "Ambulance control rejection"),
                        ],
                        max_length=20,
                    ),
                ),
                ("bundle_id", models.CharField(max_length=64)),
                ("answers_bundle_id", models.CharField(max_length=64)),
                ("responder_status", models.CharField(blank=True, max_length=20)),
                ("reason_code", models.CharField(blank=True, max_length=20)),
                ("reason_text", models.CharField(blank=True, max_length=500)),
                ("responder_reference", models.CharField(blank=True, max_length=100)),
                ("responder_stamp", models.DateTimeField(null=True)),
                (
                    "cad_id",
                    models.CharField(blank=True, max_length=100, verbose_name="new ambulance control case"),
                ),
                (
                    "request_status",
                    models.CharField(blank=True, max_length=20, verbose_name="ServiceRequest status"),
                ),
                ("outcomes", models.JSONField(default=list)),
                ("priority", models.CharField(blank=True, max_length=20)),
                ("clock_start", models.DateTimeField(null=True)),
                ("action_needed", models.BooleanField(null=True)),
                ("safeguarding", models.BooleanField(default=False, verbose_name="safeguarding concern")),
                ("source_service_id", models.CharField(blank=True, max_length=20)),
                (
                    "sender_ods_code",
                    models.CharField(blank=True, max_length=12, verbose_name="sender's ODS code"),
                ),
                ("sender_name", models.CharField(blank=True, max_length=200, verbose_name="sender")),
                ("received_at", models.DateTimeField(db_index=True)),
                (
                    "message",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="exchange.inboundmessage",
                    ),
                ),
                (
                    "referral",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="%(class)s_rows",
                        to="referrals.referral",
                    ),
                ),
                (
                    "validation",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="%(class)s_rows",
                        to="referrals.validationcase",
                    ),
                ),
            ],
            options={
                "ordering": ["received_at", "id"],
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="CaseNote",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("text", models.TextField()),
                ("author_label", models.CharField(max_length=200)),
                ("at", models.DateTimeField()),
                (
                    "author",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "referral",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="%(class)s_rows",
                        to="referrals.referral",
                    ),
                ),
                (
                    "validation",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="%(class)s_rows",
                        to="referrals.validationcase",
                    ),
                ),
            ],
            options={
                "ordering": ["at", "id"],
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="CaseAnswer",
            fields=[
                (
                    "id",
                    models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("interim", "Started"),
                            ("rejected", "Rejected"),
                            ("full", "Outcome"),
                            ("did-not-attend", "Patient did not attend"),
                            ("cad-status", "Ambulance control status"),
                            ("cad-rejection", "Ambulance control rejection"),
                        ],
                        max_length=20,
                    ),
                ),
                ("content", models.JSONField(default=dict)),
                ("bundle_id", models.CharField(blank=True, max_length=64)),
                ("answers_bundle_id", models.CharField(blank=True, max_length=64)),
                ("is_update", models.BooleanField(default=False)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("sending", "On its way"),
                            ("delivered", "Delivered"),
                            ("refused", "Not taken by the requester"),
                            ("unknown", "Not known whether it arrived"),
                            ("no-address", "Cannot be sent: the request has no address for replies"),
                        ],
                        max_length=12,
                    ),
                ),
                ("explanation", models.CharField(blank=True, max_length=300)),
                ("author_label", models.CharField(max_length=200)),
                ("created_at", models.DateTimeField()),
                ("settled_at", models.DateTimeField(null=True)),
                (
                    "author",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "referral",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="%(class)s_rows",
                        to="referrals.referral",
                    ),
                ),
                (
                    "validation",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="%(class)s_rows",
                        to="referrals.validationcase",
                    ),
                ),
            ],
            options={
                "ordering": ["created_at", "id"],
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="BreachRule",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "category",
                    models.CharField(
                        choices=[("referral", "Referral"), ("validation", "Validation")],
                        default=referrals.cases.states.Category["VALIDATION"],
                        max_length=10,
                    ),
                ),
                (
                    "priority",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("C1", "Cat1 Life Threatening"),
                            ("C2", "Cat2 Emergency"),
                            ("C3", "Cat3 Urgent"),
                            ("C4", "Cat4 Less Urgent"),
                            ("C4T", "Cat4 Less Urgent - transport"),
                            ("C5", "Non Ambulance"),
                            ("HCP1", "HCP1 Life Threatening"),
                            ("HCP2", "HCP2 Emergency"),
                            ("HCP3", "HCP3 Urgent"),
                            ("HCP4", "HCP4 Less Urgent"),
                            ("HP4T", "HCP4 Less Urgent - transport"),
                            ("IFT1", "IFT1 Life Threatening"),
                            ("IFT2", "IFT2 Emergency"),
                            ("IFT3", "IFT3 Urgent"),
                            ("IFT4", "IFT4 Less Urgent"),
                        ],
                        max_length=10,
                    ),
                ),
                (
                    "minutes",
                    models.PositiveIntegerField(
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(10080),
                        ],
                        verbose_name="minutes to answer",
                    ),
                ),
                (
                    "service",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="directory.healthcareservice",
                    ),
                ),
            ],
            options={
                "ordering": ["category", "service__name", "priority"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("service", "category", "priority"),
                        name="breach_rule_once",
                        nulls_distinct=False,
                        violation_error_message="There is a rule for this service, category and priority already.",
                    )
                ],
            },
        ),
        migrations.AddIndex(
            model_name="referral",
            index=models.Index(
                fields=["organisation", "direction", "status", "breach_at"], name="referral_worklist"
            ),
        ),
        migrations.AddIndex(
            model_name="referral",
            index=models.Index(fields=["sender_full_url"], name="referral_sender_url"),
        ),
        migrations.AddIndex(
            model_name="referral",
            index=models.Index(
                condition=models.Q(("onward_from__isnull", False)),
                fields=["onward_from"],
                name="referral_onward",
            ),
        ),
        migrations.AddIndex(
            model_name="referral",
            index=models.Index(
                condition=models.Q(("reference", ""), _negated=True),
                fields=["reference"],
                name="referral_reference",
            ),
        ),
        migrations.AddIndex(
            model_name="referral",
            index=models.Index(
                condition=models.Q(("case_number", ""), _negated=True),
                fields=["case_number"],
                name="referral_number",
            ),
        ),
        migrations.AddIndex(
            model_name="referral",
            index=django.contrib.postgres.indexes.GinIndex(
                django.db.models.fields.json.KeyTransform("identifier", "resource"),
                condition=models.Q(("resource__has_key", "identifier")),
                name="referral_identifier",
            ),
        ),
        migrations.AddConstraint(
            model_name="referral",
            constraint=models.UniqueConstraint(
                condition=models.Q(("direction", bars_portal.correspondence.states.Direction["RECEIVED"])),
                fields=("organisation", "reference"),
                name="referral_reference_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="bookinglink",
            constraint=models.UniqueConstraint(fields=("referral", "booking"), name="booking_link_once"),
        ),
        migrations.AddConstraint(
            model_name="savedfilter",
            constraint=models.UniqueConstraint(
                models.F("user"),
                models.F("organisation"),
                django.db.models.functions.text.Lower("name"),
                name="saved_filter_name_once",
            ),
        ),
        migrations.AddIndex(
            model_name="unmatchedreply",
            index=models.Index(
                condition=models.Q(("handled_at__isnull", True)),
                fields=["organisation", "received_at"],
                name="unmatchedreply_open",
            ),
        ),
        migrations.AddIndex(
            model_name="validationcase",
            index=models.Index(
                fields=["organisation", "direction", "status", "breach_at"], name="validationcase_worklist"
            ),
        ),
        migrations.AddIndex(
            model_name="validationcase",
            index=models.Index(fields=["sender_full_url"], name="validationcase_sender_url"),
        ),
        migrations.AddIndex(
            model_name="validationcase",
            index=models.Index(
                condition=models.Q(("onward_from__isnull", False)),
                fields=["onward_from"],
                name="validationcase_onward",
            ),
        ),
        migrations.AddIndex(
            model_name="validationcase",
            index=models.Index(
                condition=models.Q(("reference", ""), _negated=True),
                fields=["reference"],
                name="validationcase_reference",
            ),
        ),
        migrations.AddIndex(
            model_name="validationcase",
            index=models.Index(
                condition=models.Q(("case_number", ""), _negated=True),
                fields=["case_number"],
                name="validationcase_number",
            ),
        ),
        migrations.AddIndex(
            model_name="validationcase",
            index=django.contrib.postgres.indexes.GinIndex(
                django.db.models.fields.json.KeyTransform("identifier", "resource"),
                condition=models.Q(("resource__has_key", "identifier")),
                name="validationcase_identifier",
            ),
        ),
        migrations.AddConstraint(
            model_name="validationcase",
            constraint=models.UniqueConstraint(
                condition=models.Q(("direction", bars_portal.correspondence.states.Direction["RECEIVED"])),
                fields=("organisation", "reference"),
                name="validationcase_reference_once",
            ),
        ),
        migrations.AddIndex(
            model_name="caseversion",
            index=models.Index(fields=["bundle_id"], name="caseversion_bundle_id"),
        ),
        migrations.AddConstraint(
            model_name="caseversion",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("referral__isnull", True), ("validation__isnull", True), _connector="XOR"
                ),
                name="caseversion_of_one_case",
            ),
        ),
        migrations.AddConstraint(
            model_name="caseversion",
            constraint=models.UniqueConstraint(fields=("referral", "number"), name="referral_version_once"),
        ),
        migrations.AddConstraint(
            model_name="caseversion",
            constraint=models.UniqueConstraint(
                fields=("validation", "number"), name="validation_version_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="casestatuschange",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("referral__isnull", True), ("validation__isnull", True), _connector="XOR"
                ),
                name="casestatuschange_of_one_case",
            ),
        ),
        migrations.AddIndex(
            model_name="casereply",
            index=models.Index(fields=["bundle_id"], name="casereply_bundle_id"),
        ),
        migrations.AddConstraint(
            model_name="casereply",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("referral__isnull", True), ("validation__isnull", True), _connector="XOR"
                ),
                name="casereply_of_one_case",
            ),
        ),
        migrations.AddConstraint(
            model_name="casenote",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("referral__isnull", True), ("validation__isnull", True), _connector="XOR"
                ),
                name="casenote_of_one_case",
            ),
        ),
        migrations.AddIndex(
            model_name="caseanswer",
            index=models.Index(
                condition=models.Q(
                    ("state", referrals.cases.states.ResponseState["DELIVERED"]), _negated=True
                ),
                fields=["state"],
                name="caseanswer_open",
            ),
        ),
        migrations.AddConstraint(
            model_name="caseanswer",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("referral__isnull", True), ("validation__isnull", True), _connector="XOR"
                ),
                name="caseanswer_of_one_case",
            ),
        ),
        migrations.RunPython(seed, migrations.RunPython.noop),
    ]
