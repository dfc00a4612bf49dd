from django.db import migrations, models

# A claim was a row; what a dead worker left of one would hold up its request id for ever.
_RETIRE = "UPDATE exchange_inboundmessage SET state = 'abandoned', completed_at = now() WHERE state = 'processing'"
# Built beside a live table, and before the old one goes: no moment without a unique index.
_BUILD = """
CREATE UNIQUE INDEX CONCURRENTLY inbound_request_id_accepted ON exchange_inboundmessage (request_id)
WHERE state = 'accepted'
"""
_UNBUILD = "DROP INDEX CONCURRENTLY IF EXISTS inbound_request_id_accepted"
_DROP = "DROP INDEX CONCURRENTLY inbound_request_id_once"
_RESTORE = """
CREATE UNIQUE INDEX CONCURRENTLY inbound_request_id_once ON exchange_inboundmessage (request_id)
WHERE state IN ('processing', 'accepted')
"""
_RENAME = "ALTER INDEX inbound_request_id_accepted RENAME TO inbound_request_id_once"
_RENAME_BACK = "ALTER INDEX inbound_request_id_once RENAME TO inbound_request_id_accepted"


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ('exchange', '0002_ids_may_be_missing'),
    ]

    operations = [
        migrations.AlterField(
            model_name='inboundmessage',
            name='state',
            field=models.CharField(choices=[('accepted', 'Accepted'), ('refused', 'Refused'), ('abandoned', 'Abandoned')], max_length=12),
        ),
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL(_RETIRE, migrations.RunSQL.noop),
                migrations.RunSQL(_BUILD, _UNBUILD),
                migrations.RunSQL(_DROP, _RESTORE),
                migrations.RunSQL(_RENAME, _RENAME_BACK),
            ],
            state_operations=[
                migrations.RemoveConstraint(
                    model_name='inboundmessage',
                    name='inbound_request_id_once',
                ),
                migrations.AddConstraint(
                    model_name='inboundmessage',
                    constraint=models.UniqueConstraint(condition=models.Q(('state', 'accepted')), fields=('request_id',), name='inbound_request_id_once'),
                ),
            ],
        ),
    ]
