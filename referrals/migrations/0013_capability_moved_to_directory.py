"""A cache, so nothing of it is carried over: see directory 0004."""

from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [
        ('referrals', '0012_saved_filters'),
    ]

    operations = [
        migrations.DeleteModel(
            name='ServiceCapability',
        ),
    ]
