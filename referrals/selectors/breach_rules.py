"""When a request without a time of its own is due."""

from bars_portal.sql import Question
from directory.models import HealthcareService
from referrals.states import Category

# The service counts more than the priority.
_MINUTES = """
    SELECT minutes FROM referrals_breachrule
    WHERE (service_id = %s OR service_id IS NULL) AND category = %s AND priority IN (%s, '')
    ORDER BY service_id NULLS LAST, priority DESC LIMIT 1"""


def minutes_by_rule(service: HealthcareService, category: Category, priority: str) -> Question:
    """Minutes from its arrival, by the rule that says most about it; no answer without a rule."""
    return Question(_MINUTES, (service.pk, category.value, priority))
