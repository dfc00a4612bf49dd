import bars_portal.exchange.models.fields
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('referrals', '0005_service_capability'),
    ]

    operations = [
        migrations.AlterField(
            model_name='referral',
            name='included',
            field=models.JSONField(decoder=bars_portal.exchange.models.fields.ResourceDecoder, encoder=bars_portal.exchange.models.fields.ResourceEncoder, null=True),
        ),
        migrations.AlterField(
            model_name='validationcase',
            name='included',
            field=models.JSONField(decoder=bars_portal.exchange.models.fields.ResourceDecoder, encoder=bars_portal.exchange.models.fields.ResourceEncoder, null=True),
        ),
    ]
