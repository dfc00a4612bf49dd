import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    """Processes of the version before write tokens without a holder: the database fills that in."""

    dependencies = [
        ("accounts", "0005_break_glass"),
        ("exchange", "0008_bundle_ids"),
    ]

    operations = [
        migrations.CreateModel(
            name="OrganisationConnection",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                ("environment", models.CharField(max_length=20)),
                ("app_id", models.CharField(blank=True, max_length=100, verbose_name="App ID")),
                ("key_id", models.CharField(max_length=100, verbose_name="key id (KID)")),
                ("private_key_file", models.CharField(max_length=500)),
                ("api_key_file", models.CharField(max_length=500)),
                ("service_id", models.CharField(max_length=20, verbose_name="reply address (service id)")),
                ("software_instance", models.CharField(max_length=100)),
                ("connected_at", models.DateTimeField()),
                ("revoked_at", models.DateTimeField(blank=True, null=True)),
                (
                    "organisation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.organisation",
                    ),
                ),
            ],
            options={
                "default_permissions": (),
                "constraints": [
                    models.UniqueConstraint(
                        fields=("organisation", "environment"), name="connection_one_each"
                    )
                ],
            },
        ),
        migrations.AddField(
            model_name="accesstoken",
            name="holder",
            field=models.CharField(db_default="", default="", max_length=80),
        ),
        migrations.RemoveConstraint(model_name="accesstoken", name="token_once"),
        migrations.AddConstraint(
            model_name="accesstoken",
            constraint=models.UniqueConstraint(
                fields=("environment", "key_id", "holder"), name="token_once"
            ),
        ),
    ]
