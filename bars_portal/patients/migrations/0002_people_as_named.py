"""People as they are named and numbered: what is known in part, death, former NHS numbers, the key of the name.

Safe while the portal runs: the columns have defaults in the database, rows are filled a thousand at a time, and
the index is built beside the work.
"""

from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models

from bars_portal.values import InvalidValue, name_key, read_postcode

_BATCH = 1000


def fill(apps, schema_editor):
    """Names get their key and postcodes their one form; run again it finds nothing to do."""
    patients = apps.get_model("patients", "Patient").objects.using(schema_editor.connection.alias)
    waiting = patients.filter(name_key="").exclude(given_names="", family_name="", postcode="")
    last = None
    while True:
        rows = list((waiting.filter(pk__gt=last) if last else waiting).order_by("pk")[:_BATCH])
        if not rows:
            return
        last = rows[-1].pk
        for row in rows:
            row.name_key = name_key(f"{row.given_names} {row.family_name}")
            row.postcode = _postcode(row.postcode)
        patients.bulk_update(rows, ["name_key", "postcode"])


def _postcode(text):
    try:
        return read_postcode(text)
    except InvalidValue:
        return text


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("patients", "0001_initial")]

    operations = [
        migrations.AddField(
            model_name="patient",
            name="birth_partly",
            field=models.CharField(blank=True, db_default="", default="", max_length=7),
        ),
        migrations.AddField(
            model_name="patient",
            name="died",
            field=models.CharField(blank=True, db_default="", default="", max_length=40),
        ),
        migrations.AddField(
            model_name="patient",
            name="name_key",
            field=models.TextField(blank=True, db_default="", default="", editable=False),
        ),
        migrations.AddField(
            model_name="patient",
            name="other_numbers",
            field=models.JSONField(
                blank=True, db_default=models.Value([], output_field=models.JSONField()), default=list
            ),
        ),
        migrations.RunPython(fill, migrations.RunPython.noop),
        AddIndexConcurrently(
            model_name="patient",
            index=GinIndex(
                fields=["other_numbers"], name="patient_other_numbers", opclasses=["jsonb_path_ops"]
            ),
        ),
    ]
