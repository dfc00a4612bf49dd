"""What services say of themselves is the directory's to know: bookings ask for it too."""

import django.contrib.postgres.fields
import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('directory', '0003_search_kept_by_the_database'),
    ]

    operations = [
        migrations.CreateModel(
            name='ServiceCapability',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('use_cases', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=20), null=True, size=None)),
                ('version', models.CharField(blank=True, max_length=20, verbose_name='version of the standard')),
                ('agreed_version', models.CharField(blank=True, default='1.1.0', max_length=20)),
                ('definitions', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=200), null=True, size=None)),
                ('read_at', models.DateTimeField()),
                ('service', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='directory.healthcareservice')),
            ],
            options={
                'verbose_name_plural': 'service capabilities',
            },
        ),
    ]
