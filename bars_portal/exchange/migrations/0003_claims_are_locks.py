from django.db import migrations, models


# A claim was a row; what a dead worker left of one would hold up its request id for ever.
_RETIRE = "UPDATE exchange_inboundmessage SET state = 'abandoned', completed_at = now() WHERE state = 'processing'"


class Migration(migrations.Migration):

    dependencies = [
        ('exchange', '0002_ids_may_be_missing'),
    ]

    operations = [
        migrations.RunSQL(_RETIRE, migrations.RunSQL.noop),
        migrations.RemoveConstraint(
            model_name='inboundmessage',
            name='inbound_request_id_once',
        ),
        migrations.AlterField(
            model_name='inboundmessage',
            name='state',
            field=models.CharField(choices=[('accepted', 'Accepted'), ('refused', 'Refused'), ('abandoned', 'Abandoned')], max_length=12),
        ),
        migrations.AddConstraint(
            model_name='inboundmessage',
            constraint=models.UniqueConstraint(condition=models.Q(('state', 'accepted')), fields=('request_id',), name='inbound_request_id_once'),
        ),
    ]
