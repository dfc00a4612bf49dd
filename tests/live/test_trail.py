"""The trail of the running stack: sealed within seconds, signed outside, closed to the portal's own role."""

import json
from datetime import UTC, datetime

from tests.live.partner import wait_until
from tests.stack import Stack

_HAPPEN = """
from django.utils import timezone
from bars_portal.audit.actor import SYSTEM
from bars_portal.audit.services import record
print(record(actor=SYSTEM, action="tests.happen", now=timezone.now()).pk)
"""
_IS_SEALED = """
from bars_portal.audit.models import Seal
print(Seal.objects.filter(event_ids__contains=[{}]).exists())
"""
_TAMPER = """
from django.db import DatabaseError, connection
try:
    connection.cursor().execute("DELETE FROM audit_auditevent")
except DatabaseError as refusal:
    print(type(refusal.__cause__).__name__)
"""


def test_an_event_is_sealed_within_ten_seconds_and_the_trail_is_intact(stack: Stack) -> None:
    event = stack.run(_HAPPEN)
    began = datetime.now(UTC)
    wait_until(lambda: stack.run(_IS_SEALED.format(event)) == "True")
    assert (datetime.now(UTC) - began).total_seconds() < 10
    report = json.loads(stack.manage("verify_audit", "--json"))
    assert report["intact"], report["findings"]
    assert report["heads"] >= 1


def test_the_portal_runs_as_a_role_that_cannot_change_it(stack: Stack) -> None:
    assert stack.run(_TAMPER) == "InsufficientPrivilege"
    assert "never change it" in stack.manage("database_roles", "--check")
