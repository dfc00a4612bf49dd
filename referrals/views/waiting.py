"""Releasing the person after a few seconds (standard section 8): most answers come within them."""

from bars_portal.correspondence.waiting import PATIENCE_SECONDS, wait_while
from referrals.answer_states import AnswerState
from referrals.models import Case, CaseAnswer
from referrals.presenters.confirming import is_waiting


def wait_for_answer(answer: CaseAnswer | None, *, patience: float = PATIENCE_SECONDS) -> None:
    """Until the requester has taken or refused it, or the patience ends; None: nothing was sent."""
    if answer is not None:
        wait_while(
            lambda: answer.state == AnswerState.SENDING,
            lambda: answer.refresh_from_db(fields=["state"]),
            patience=patience,
        )


def wait_for_case(case: Case, *, patience: float = PATIENCE_SECONDS) -> None:
    """Until the receiver has answered what we sent about it; the case is read anew."""
    wait_while(lambda: is_waiting(case), case.refresh_from_db, patience=patience)
