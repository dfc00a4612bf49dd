"""Access rules of services, and triggers that keep the ones in force with their service."""

import uuid

import django.contrib.postgres.fields
import django.db.models.deletion
from django.db import migrations, models

# Under a lock on the service: of two that change its rules at once the second sees what the first has done.
_KEEP = """
CREATE FUNCTION directory_keep_access_rules() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    place uuid;
BEGIN
    FOREACH place IN ARRAY ARRAY(
        SELECT DISTINCT each FROM unnest(ARRAY[OLD.service_id, NEW.service_id]) AS each
        WHERE each IS NOT NULL ORDER BY each
    ) LOOP
        PERFORM FROM directory_healthcareservice WHERE id = place FOR NO KEY UPDATE;
        UPDATE directory_healthcareservice SET access_rules = (
            SELECT coalesce(jsonb_agg(jsonb_build_object(
                'organisations', rule.organisations, 'roles', rule.roles, 'software', rule.software,
                'version_from', rule.version_from, 'version_to', rule.version_to
            ) ORDER BY rule.id), '[]'::jsonb)
            FROM directory_accessrule AS rule WHERE rule.service_id = place AND rule.in_force
        ) WHERE id = place;
    END LOOP;
    RETURN NULL;
END $$;
CREATE TRIGGER directory_access_rules AFTER INSERT OR UPDATE OR DELETE ON directory_accessrule
    FOR EACH ROW EXECUTE FUNCTION directory_keep_access_rules();
"""
_LET_BE = """
DROP TRIGGER directory_access_rules ON directory_accessrule;
DROP FUNCTION directory_keep_access_rules();
"""


class Migration(migrations.Migration):

    dependencies = [("directory", "0002_imports_of_an_organisation")]

    operations = [
        migrations.AddField(
            model_name="healthcareservice",
            name="access_rules",
            field=models.JSONField(db_default=[], default=list, editable=False),
        ),
        migrations.CreateModel(
            name="AccessRule",
            fields=[
                (
                    "id",
                    models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False),
                ),
                ("name", models.CharField(max_length=100)),
                (
                    "organisations",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=12), blank=True, default=list, size=None
                    ),
                ),
                (
                    "roles",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=20), blank=True, default=list, size=None
                    ),
                ),
                ("software", models.CharField(blank=True, max_length=100)),
                ("version_from", models.CharField(blank=True, max_length=40, verbose_name="version from")),
                ("version_to", models.CharField(blank=True, max_length=40, verbose_name="version up to")),
                ("in_force", models.BooleanField(default=False, verbose_name="in force")),
                (
                    "service",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="rules",
                        to="directory.healthcareservice",
                    ),
                ),
            ],
            options={
                "ordering": ["service", "name"],
                "constraints": [
                    models.UniqueConstraint(fields=("service", "name"), name="access_rule_name_once"),
                    models.CheckConstraint(
                        condition=models.Q(("organisations", []), ("roles", []), ("software", ""), _negated=True),
                        name="access_rule_asks_something",
                        violation_error_message="Say which organisations, roles or software may use the service.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("software", ""), _negated=True),
                            models.Q(("version_from", ""), ("version_to", "")),
                            _connector="OR",
                        ),
                        name="access_rule_version_of_software",
                        violation_error_message="Name the software that the versions are of.",
                    ),
                ],
            },
        ),
        migrations.RunSQL(_KEEP, _LET_BE),
    ]
