"""What services said otherwise than before; and of which use cases they take bookings."""

import django.contrib.postgres.fields
import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('directory', '0004_service_capability'),
    ]

    operations = [
        migrations.AddField(
            model_name='servicecapability',
            name='booking_use_cases',
            field=django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=20), null=True, size=None),
        ),
        migrations.CreateModel(
            name='CapabilityChange',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('noticed_at', models.DateTimeField()),
                ('stated', models.JSONField(default=dict)),
                ('added', models.JSONField(default=dict)),
                ('removed', models.JSONField(default=dict)),
                ('service', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='directory.healthcareservice')),
            ],
            options={
                'ordering': ['-noticed_at', '-id'],
                'indexes': [models.Index(fields=['service', '-noticed_at'], name='capability_change_latest')],
            },
        ),
    ]
