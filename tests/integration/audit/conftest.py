"""A chain over some events of three days, and a key with a folder for its heads."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from bars_portal.audit.actor import SYSTEM
from bars_portal.audit.chain.heads import export_head
from bars_portal.audit.services import record
from bars_portal.credentials.keys import ensure_audit_key

BEGAN = datetime(2026, 7, 14, 9, 30, tzinfo=UTC)


@pytest.fixture
def heads(settings: Any, tmp_path: Path) -> Path:
    key = ensure_audit_key(tmp_path / "keys")
    folder = tmp_path / "heads"
    settings.AUDIT_SIGNING_KEY_FILE = str(key)
    settings.AUDIT_HEADS_FOLDER = str(folder)
    return folder


@pytest.fixture
def chain(db: None, heads: Path) -> list[int]:
    """Ids of three events a day for three days; after each day a signed head."""
    events = []
    for day in range(3):
        for minute in range(3):
            at = BEGAN + timedelta(days=day, minutes=minute)
            events.append(record(actor=SYSTEM, action="tests.happen", detail={"n": minute}, now=at).pk)
        export_head(heads, now=BEGAN + timedelta(days=day, minutes=5))
    return events


def as_superuser(*statements: str) -> None:
    """Past every trigger, as only a superuser of the database can."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        for statement in statements:
            cursor.execute(statement)
        cursor.execute("SET LOCAL session_replication_role = origin")
