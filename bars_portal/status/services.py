"""Remembering since when each check has said what it says."""

from bars_portal.status.checks import Moment, look_at_all
from bars_portal.status.models import Condition


def note_conditions(at: Moment) -> None:
    """Look at everything; a level that has changed begins now. Whoever else does the same changes nothing."""
    for check, finding in look_at_all(at):
        row = Condition(check_name=check.name, level=finding.level, since=at.now)
        Condition.objects.bulk_create([row], ignore_conflicts=True)
        changed = Condition.objects.filter(pk=check.name).exclude(level=finding.level)
        changed.update(level=finding.level, since=at.now)
