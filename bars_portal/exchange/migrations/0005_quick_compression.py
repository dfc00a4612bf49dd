from django.db import migrations

_BYTES = (
    ("exchange_inboundmessage", "body"),
    ("exchange_inboundmessage", "reply"),
    ("exchange_outboundmessage", "body"),
    ("exchange_deliveryattempt", "reply"),
)
# pglz, the default, takes longer for a message than everything else that is written with it. A server built
# without lz4 (the embedded one is) keeps bytes as they are. Only what is written from now on; no table is read.
_QUICK = """
DO $$ BEGIN
    ALTER TABLE {table} ALTER COLUMN {column} SET COMPRESSION lz4;
EXCEPTION WHEN feature_not_supported THEN
    ALTER TABLE {table} ALTER COLUMN {column} SET STORAGE EXTERNAL;
END $$
"""
_DEFAULT = "ALTER TABLE {table} ALTER COLUMN {column} SET COMPRESSION default, ALTER COLUMN {column} SET STORAGE EXTENDED"


class Migration(migrations.Migration):
    dependencies = [
        ('exchange', '0004_next_attempt'),
    ]

    operations = [
        migrations.RunSQL(_QUICK.format(table=table, column=column), _DEFAULT.format(table=table, column=column))
        for table, column in _BYTES
    ]
