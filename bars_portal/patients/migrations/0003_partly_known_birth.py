"""An index for searches by a birth date of which only the year or the month is known: built beside whoever writes."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):

    atomic = False
    dependencies = [("patients", "0002_people_as_named")]

    operations = [
        AddIndexConcurrently(
            "patient",
            models.Index(
                fields=["birth_partly", "postcode"],
                name="patient_birth_partly",
                condition=~models.Q(birth_partly=""),
            ),
        ),
    ]
