from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('exchange', '0007_resending'),
    ]

    operations = [
        migrations.AddIndex(
            model_name='inboundmessage',
            index=models.Index(fields=['bundle_id'], name='inbound_bundle'),
        ),
        migrations.AddIndex(
            model_name='outboundmessage',
            index=models.Index(fields=['bundle_id'], name='outbound_bundle'),
        ),
    ]
