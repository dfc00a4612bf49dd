"""Who may do what with a case: `check_can_x` raises a sentence for the user, `can_x` is its boolean."""

from bars_portal.accounts.acting import Acting
from bookings.policies import PolicyRefused
from referrals.models import Case, UnmatchedReply
from referrals.permissions import VIEW
from referrals.states import Direction

__all__ = ["PolicyRefused", "can_view", "can_view_unmatched", "check_can_view", "check_can_view_unmatched"]


def check_can_view(acting: Acting, case: Case) -> None:
    if case.organisation_id != acting.organisation.pk:
        raise PolicyRefused("This case belongs to another organisation.")
    if not acting.may(VIEW[case.direction]):
        raise PolicyRefused("You are not allowed to see this case.")


def check_can_view_unmatched(acting: Acting, reply: UnmatchedReply) -> None:
    """Whoever sees what was sent sees the answers to it."""
    if reply.organisation_id != acting.organisation.pk:
        raise PolicyRefused("This reply belongs to another organisation.")
    if not acting.may(VIEW[Direction.SENT]):
        raise PolicyRefused("You are not allowed to see this reply.")


def can_view(acting: Acting, case: Case) -> bool:
    try:
        check_can_view(acting, case)
    except PolicyRefused:
        return False
    return True


def can_view_unmatched(acting: Acting, reply: UnmatchedReply) -> bool:
    try:
        check_can_view_unmatched(acting, reply)
    except PolicyRefused:
        return False
    return True
