from django.db import migrations, models
from django.db.models.functions import Concat, Lower

import bars_portal.accounts.models

_FIELDS = ("username", "first_name", "last_name", "email")
_WITH_BLANKS = [part for name in _FIELDS for part in (models.F(name), models.Value(" "))]


class Migration(migrations.Migration):
    """What the administration finds people by, kept by the database, whoever writes.

    The table of people is written anew meanwhile: a second for a hundred thousand of them.
    """

    dependencies = [("accounts", "0005_break_glass")]

    operations = [
        migrations.AddField(
            "user",
            "found_by",
            models.GeneratedField(
                db_persist=True, expression=Lower(Concat(*_WITH_BLANKS, output_field=models.TextField())), output_field=models.TextField()
            ),
        ),
        migrations.AddField(
            "user",
            "name_key",
            models.GeneratedField(
                db_persist=True,
                expression=bars_portal.accounts.models.NameKey(Concat("first_name", "last_name")),
                output_field=models.TextField(),
            ),
        ),
    ]
