"""Releasing the person after a few seconds (standard section 8): most answers come within them."""

import time
from collections.abc import Callable

from referrals.answer_states import AnswerState
from referrals.models import Case, CaseAnswer
from referrals.presenters.sent import is_on_its_way

PATIENCE_SECONDS = 4.0
_STEP_SECONDS = 0.1


def wait_for_answer(answer: CaseAnswer | None, *, patience: float = PATIENCE_SECONDS) -> None:
    """Until the requester has taken or refused it, or the patience ends; None: nothing was sent."""
    if answer is not None:
        _wait(lambda: answer.state != AnswerState.SENDING, lambda: _read(answer), patience)


def wait_for_case(case: Case, *, patience: float = PATIENCE_SECONDS) -> None:
    """Until the receiver has answered what we sent about it."""
    _wait(lambda: not is_on_its_way(case), case.refresh_from_db, patience)


def _wait(is_settled: Callable[[], bool], read: Callable[[], None], patience: float) -> None:
    deadline = time.monotonic() + patience
    while not is_settled() and time.monotonic() < deadline:
        time.sleep(_STEP_SECONDS)
        read()


def _read(answer: CaseAnswer) -> None:
    answer.refresh_from_db(fields=["state"])
