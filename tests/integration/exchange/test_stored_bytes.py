"""How PostgreSQL keeps the bytes of messages: by lz4, or as they are where it has none, never by pglz."""

import pytest
from django.db import connection

_KEPT = """
    SELECT attstorage::text, attcompression::text FROM pg_attribute
    WHERE attrelid = %s::regclass AND attname = %s
"""
AS_THEY_ARE, BY_LZ4 = ("e", ""), ("x", "l")


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("table", "column"),
    [
        ("exchange_inboundmessage", "body"),
        ("exchange_inboundmessage", "reply"),
        ("exchange_outboundmessage", "body"),
        ("exchange_deliveryattempt", "reply"),
    ],
)
def test_bytes_are_kept_quickly(table: str, column: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT 'lz4' = ANY(enumvals) FROM pg_settings WHERE name = 'default_toast_compression'"
        )
        (has_lz4,) = cursor.fetchone()
        cursor.execute(_KEPT, [table, column])
        assert cursor.fetchone() == (BY_LZ4 if has_lz4 else AS_THEY_ARE)
