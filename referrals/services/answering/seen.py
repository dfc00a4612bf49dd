"""A decision about a case as the person saw it: what happened since the page was opened is told first."""

from collections.abc import Callable

from django.db import transaction

from bars_portal.accounts.refusals import PolicyRefused
from referrals.models import Case
from referrals.selectors.history import steps_of
from referrals.services.answering.deciding import Decided, locked_case


class ChangedMeanwhile(PolicyRefused):
    """An update of the requester, or a colleague's decision, came in between."""


CHANGED = "This case changed while you had it open. Look at what is new, then decide."


@transaction.atomic
def decide_as_seen(*, case: Case, seen: int, act: Callable[[Case], Decided]) -> Decided:
    """Decide by `act` if the case still has the `seen` number of steps; its row is locked meanwhile.

    Raises PolicyRefused as `act` does, and ChangedMeanwhile.
    """
    held = locked_case(case.category, case.pk)
    if steps_of(held) != seen:
        raise ChangedMeanwhile(CHANGED)
    return act(held)
