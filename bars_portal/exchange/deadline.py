"""One deadline for a whole request (standard section 5: all under 5 s, or 408 with nothing half-written).

The timeouts of the session bound single statements; many slow ones would add up to more.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from math import inf
from time import monotonic
from typing import Any, Self

from django.conf import settings
from django.db import connection

from bars_portal.exchange.fhir.outcomes import OutcomeCode, fault

# To write down and say that the deadline has passed, inside the 5 s.
GRACE_SECONDS = 0.5


@dataclass(frozen=True)
class Deadline:
    """A moment of a monotonic clock, in seconds; without arguments it never comes."""

    at: float = inf
    clock: Callable[[], float] = monotonic

    @classmethod
    def after(cls, seconds: float) -> Self:
        return cls(monotonic() + seconds)

    def extended(self) -> "Deadline":
        """For saying how it ended: what is left, and after the deadline a little more."""
        return Deadline(max(self.at, self.clock() + GRACE_SECONDS), self.clock)

    def left(self) -> float:
        """Seconds that remain. Raises OutcomeError (408) when none do."""
        seconds = self.at - self.clock()
        if seconds <= 0:
            raise fault(OutcomeCode.TIMEOUT, "The request took too long and was given up.")
        return seconds


class _Guard:
    """Before each statement: is there time, and may the statement take no longer than that?

    A quick request pays nothing: the session's own timeout ends before its deadline does.
    """

    def __init__(self, deadline: Deadline) -> None:
        self.deadline = deadline
        self.limits_session = False

    def __call__(
        self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: dict[str, Any]
    ) -> Any:
        # What takes back is never refused.
        if not str(sql).startswith("ROLLBACK") and not connection.needs_rollback:
            left = self.deadline.left()
            if left < settings.STATEMENT_SECONDS:
                self._limit(left)
        return execute(sql, params, many, context)

    def _limit(self, seconds: float) -> None:
        within = connection.in_atomic_block
        self.limits_session = self.limits_session or not within
        _raw("SELECT set_config('statement_timeout', %s, %s)", (str(max(1, int(seconds * 1000))), within))


@contextmanager
def bounded(deadline: Deadline) -> Iterator[None]:
    """No statement in here runs beyond the deadline, none begins after it: OutcomeError (408) instead."""
    guard = _Guard(deadline)
    try:
        with connection.execute_wrapper(guard):
            yield
    finally:
        raw = connection.connection
        if guard.limits_session and raw is not None and not raw.closed:
            _raw("RESET statement_timeout", ())


def _raw(sql: str, params: tuple[object, ...]) -> None:
    """Past Django's cursor, which would ask the guard again, and may be a named one."""
    with connection.wrap_database_errors, connection.connection.cursor() as cursor:
        cursor.execute(sql, params)
