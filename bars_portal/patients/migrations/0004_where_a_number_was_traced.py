"""Where an NHS number was traced, by whom and when, and what kind an address is: columns with defaults."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('patients', '0003_partly_known_birth'),
    ]

    operations = [
        migrations.AddField(
            model_name='patient',
            name='address_use',
            field=models.CharField(blank=True, db_default='', default='', max_length=10),
        ),
        migrations.AddField(
            model_name='patient',
            name='traced_at',
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='patient',
            name='traced_by',
            field=models.CharField(blank=True, db_default='', default='', max_length=200),
        ),
        migrations.AddField(
            model_name='patient',
            name='traced_in',
            field=models.CharField(blank=True, db_default='', default='', max_length=100),
        ),
    ]
