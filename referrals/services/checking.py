"""Settling an outcome that is not known: the very same message goes out once more."""

from datetime import datetime

from django.db import transaction

from bars_portal.accounts.acting import Acting
from bars_portal.exchange import delivery, outbox
from referrals import policies
from referrals.models import Case
from referrals.sent import lock_sent
from referrals.services.status import TransitionRefused, change_case
from referrals.states import CaseEvent

_NEW = ("referral-new", "validation-new")
_UPDATES = ("referral-update", "validation-update")


@transaction.atomic
def check_again(*, case: Case, acting: Acting, now: datetime) -> Case:
    """Send the same bytes and ids again, so that nothing can arrive twice.

    Raises PolicyRefused, and TransitionRefused when somebody else pressed first.
    """
    held = lock_sent(case.category, str(case.pk))
    policies.check_can_check_again(acting, held)
    message = outbox.waiting_for_check(held)
    if message is None or not delivery.queue_again(message):
        raise TransitionRefused("The message is not waiting for a check")
    event = _event(message.message_type)
    change_case(case=held, event=event, actor=acting.actor, now=now, changes={"explanation": ""})
    outbox.announce_on_commit(message)
    return held


def _event(message_type: str) -> CaseEvent:
    if message_type in _NEW:
        return CaseEvent.CHECK_AGAIN
    return CaseEvent.CHECK_UPDATE_AGAIN if message_type in _UPDATES else CaseEvent.CHECK_REVOKE_AGAIN
