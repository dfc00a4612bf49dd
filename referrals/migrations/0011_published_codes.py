"""The published codes become the first rows of the code lists, so that staff find them there."""

from typing import Any

from django.db import migrations

from referrals.cases.codes import published_rows


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
    dependencies = [("referrals", "0010_code_lists_and_breach_rules")]

    operations = [migrations.RunPython(seed, migrations.RunPython.noop)]
