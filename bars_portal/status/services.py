"""Remembering since when each check has said what it says."""

from datetime import datetime

from bars_portal.status.checks import look_at_all
from bars_portal.status.models import Condition


def note_conditions(*, now: datetime) -> None:
    """Look at everything; a level that has changed begins now. Whoever else does the same changes nothing."""
    for check, finding in look_at_all(now=now):
        row = Condition(check_name=check.name, level=finding.level, since=now)
        Condition.objects.bulk_create([row], ignore_conflicts=True)
        Condition.objects.filter(pk=check.name).exclude(level=finding.level).update(
            level=finding.level, since=now
        )
