"""When a request without a time of its own is due."""

from datetime import datetime, timedelta

from bars_portal.statements import ask
from directory.models import HealthcareService
from referrals.states import Category

# The service counts more than the priority.
_MINUTES = """
    SELECT minutes FROM referrals_breachrule
    WHERE (service_id = %s OR service_id IS NULL) AND category = %s AND priority IN (%s, '')
    ORDER BY service_id NULLS LAST, priority DESC LIMIT 1
"""


def due_by_rule(
    *, service: HealthcareService, category: Category, priority: str, now: datetime
) -> datetime | None:
    """By the rule that says most about it; None without a rule."""
    found = ask(_MINUTES, service.pk, category.value, priority)
    return now + timedelta(minutes=found[0]) if found else None
