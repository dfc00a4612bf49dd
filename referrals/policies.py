"""Who may see a case: `check_can_x` raises a sentence for the user, `can_x` is its boolean."""

from bars_portal.accounts.acting import Acting
from bars_portal.accounts.refusals import PolicyRefused
from referrals.models import Case, UnmatchedReply
from referrals.permissions import VIEW, WORK
from referrals.sending_policies import can_check_again as can_check_again
from referrals.sending_policies import can_refer_again as can_refer_again
from referrals.sending_policies import can_request as can_request
from referrals.sending_policies import can_take_back as can_take_back
from referrals.sending_policies import can_update as can_update
from referrals.sending_policies import check_can_check_again as check_can_check_again
from referrals.sending_policies import check_can_refer_again as check_can_refer_again
from referrals.sending_policies import check_can_request as check_can_request
from referrals.sending_policies import check_can_take_back as check_can_take_back
from referrals.sending_policies import check_can_update as check_can_update
from referrals.sending_policies import check_can_use_draft as check_can_use_draft
from referrals.sending_policies import check_has_booking as check_has_booking
from referrals.sending_policies import check_told_to_take as check_told_to_take
from referrals.states import Direction

__all__ = [
    "PolicyRefused",
    "can_handle_unmatched",
    "can_view",
    "can_view_unmatched",
    "check_can_handle_unmatched",
    "check_can_view",
    "check_can_view_unmatched",
]


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


def check_can_handle_unmatched(acting: Acting, reply: UnmatchedReply) -> None:
    """Say that it has been dealt with."""
    check_can_view_unmatched(acting, reply)
    if not acting.may(WORK):
        raise PolicyRefused("You are not allowed to deal with replies.")


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


def can_handle_unmatched(acting: Acting, reply: UnmatchedReply) -> bool:
    try:
        check_can_handle_unmatched(acting, reply)
    except PolicyRefused:
        return False
    return reply.handled_at is None
