"""Who may take and close a duty: `check_can_x` raises a sentence for the person, `can_x` is its boolean."""

from bars_portal.accounts.acting import Acting
from bars_portal.accounts.permissions import allowed, need
from referrals.cases.duties import Duty
from referrals.cases.policies import SEND


def check_can_see_to(acting: Acting, duty: Duty) -> None:
    """Take it, give it back, close it: whoever may send requests."""
    need(duty.organisation_id == acting.organisation.pk, "This task belongs to another organisation.")
    need(acting.may(SEND), "You are not allowed to see to tasks of what was sent.")
    need(duty.closed_at is None, "This task is closed already.")


def can_see_to(acting: Acting, duty: Duty) -> bool:
    return allowed(lambda: check_can_see_to(acting, duty))
