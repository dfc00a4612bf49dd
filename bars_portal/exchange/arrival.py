"""What the edge hands to the exchange: bytes, headers, who brought them, and the deadline.

And what a partner is told when the database fails meanwhile.
"""

import logging
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from math import inf
from time import monotonic
from typing import Any, Self
from uuid import uuid4

from django.conf import settings
from django.db import Error as DatabaseError
from django.db import IntegrityError, InterfaceError, OperationalError, connection
from psycopg import errors

from bars_portal.audit.actor import Actor
from bars_portal.exchange.fhir import json
from bars_portal.exchange.fhir.formats import Format
from bars_portal.exchange.fhir.limits import too_many_parts
from bars_portal.exchange.fhir.outcomes import Issue, OutcomeCode, fault, operation_outcome
from bars_portal.exchange.transport.headers import IncomingHeaders
from bars_portal.postgresql.patience import patient_until

logger = logging.getLogger(__name__)

TOO_LATE = "The request took too long and was given up."
# To write down and say that the deadline has passed, inside the 5 s; all tries to do so together.
GRACE_SECONDS = 0.3
# The server is asked to give up before we do: its refusal leaves the connection whole.
_OURS_LATER_SECONDS = 0.05


@dataclass(frozen=True)
class Deadline:
    """By when a whole request is answered (standard section 5: under 5 s, or 408 with nothing half-written).

    The timeouts of the session bound single statements; many slow ones would add up to more. `at` is a moment
    of a monotonic clock, in seconds; without arguments it never comes.
    """

    at: float = inf
    clock: Callable[[], float] = monotonic

    @classmethod
    def after(cls, seconds: float) -> Self:
        return cls(monotonic() + seconds)

    def extended(self) -> "Deadline":
        """For saying how it ended: what is left, and after the deadline a little more.

        Who has no time for that either answers all the same, and the log has it.
        """
        return Deadline(self.at + GRACE_SECONDS, self.clock)

    def left(self) -> float:
        """Seconds that remain. Raises OutcomeError (408) when none do."""
        seconds = self.at - self.clock()
        if seconds <= 0:
            raise fault(OutcomeCode.TIMEOUT, TOO_LATE)
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
        """Locks too: a commit, which checks foreign keys, waits for them and for no `statement_timeout`."""
        within = connection.in_atomic_block
        self.limits_session = self.limits_session or not within
        time = str(max(1, int(seconds * 1000)))
        _raw(
            "SELECT set_config('statement_timeout', %s, %s), set_config('lock_timeout', %s, %s)",
            (time, within, time, within),
        )


@contextmanager
def bounded(deadline: Deadline) -> Iterator[None]:
    """No statement in here runs beyond the deadline, none begins after it: OutcomeError (408) instead.

    Of a server that says nothing any more: OperationalError.
    """
    guard = _Guard(deadline)
    # Both clocks are steady; a test may have one of its own.
    ours = monotonic() + (deadline.at - deadline.clock()) + _OURS_LATER_SECONDS
    try:
        with connection.execute_wrapper(guard), patient_until(ours):
            yield
    finally:
        raw = connection.connection
        if guard.limits_session and raw is not None and not raw.closed:
            _raw("RESET statement_timeout; RESET lock_timeout")


def _raw(sql: str, params: tuple[object, ...] | None = None) -> None:
    """Past Django's cursor, which would ask the guard again, and may be a named one."""
    with connection.wrap_database_errors, connection.connection.cursor() as cursor:
        cursor.execute(sql, params)


@dataclass(frozen=True)
class Arrival:
    """One `POST /$process-message`. `raw_headers` are stored for audit, credentials left out.

    `body` is the record: what arrived, compressed if it was. `content` is the same to be read (None: it is
    the body), in `format`; the headers that are kept beside it say how to read it again.
    """

    body: bytes
    raw_headers: Mapping[str, str]
    headers: IncomingHeaders
    peer: str
    now: datetime
    content: bytes | None = None
    format: Format = Format.JSON
    deadline: Deadline = field(default_factory=Deadline)
    # Whose service it came to, once that is known: its trail tells of it.
    organisation_id: int | None = None

    def read(self) -> dict[str, Any]:
        """The resource in it. Raises OutcomeError (400)."""
        content = self.body if self.content is None else self.content
        if problem := too_many_parts(content):
            raise fault(OutcomeCode.INVALID, problem)
        return self.format.received(content)

    @property
    def sender_ods_code(self) -> str:
        return self.headers.organisation.ods_code if self.headers.organisation else ""

    @property
    def sender_name(self) -> str:
        return self.headers.organisation.name if self.headers.organisation else ""

    @property
    def actor(self) -> Actor:
        return partner(self.headers, self.peer, self.organisation_id)


@dataclass(frozen=True)
class StoredReply:
    """Status and body of the answer, exactly as they were stored; and the issues that a refusal tells."""

    status: int
    body: bytes
    issues: tuple[Issue, ...] = ()

    @classmethod
    def refusing(cls, issues: tuple[Issue, ...]) -> Self:
        """An OperationOutcome; the first issue gives the status."""
        outcome = operation_outcome(issues, outcome_id=str(uuid4()), receiver=settings.BARS["ODS_CODE"])
        return cls(issues[0].code.status, json.dumps(outcome), issues)

    @property
    def code(self) -> str:
        """Of the first issue; "" when nothing was refused."""
        return self.issues[0].code.code if self.issues else ""


def partner(headers: IncomingHeaders | None, peer: str, organisation_id: int | None = None) -> Actor:
    """The partner organisation as an audit actor; the certificate's name when it did not say who it is.

    `organisation_id`: of ours, whose trail tells of it.
    """
    organisation = headers.organisation if headers else None
    who = f"{organisation.name} ({organisation.ods_code})" if organisation else "partner"
    label = f"{who} via {peer if organisation else peer or 'unknown'}"
    return Actor(label=label[:200], organisation_id=organisation_id)


# -- what a failing database means for a partner: too slow is 408, away is 503; nothing else is said


_NEW_BUNDLE_ID = "inbound_new_bundle_id_once"
REUSED = Issue(
    OutcomeCode.INVARIANT, "Bundle.id was used before: a new message needs a new one.", ("Bundle.id",)
)
_TOO_SLOW = (errors.QueryCanceled, errors.LockNotAvailable, errors.IdleInTransactionSessionTimeout)


def issue_of(error: DatabaseError) -> Issue:
    """The issue to answer with. A lost race for Bundle.id is the sender's fault, all else is ours."""
    cause = error.__cause__
    if isinstance(cause, _TOO_SLOW):
        return Issue(OutcomeCode.TIMEOUT, TOO_LATE)
    if _constraint(cause) == _NEW_BUNDLE_ID:
        return REUSED
    log_failure(error)
    if isinstance(error, OperationalError | InterfaceError):
        return Issue(OutcomeCode.UNAVAILABLE, "The service cannot answer now; try again later.")
    return Issue(OutcomeCode.NO_STORE, "The message could not be stored.")


def may_go_well_again(error: IntegrityError) -> bool:
    """Something unique was taken, and it was not Bundle.id: a second attempt draws or finds another."""
    cause = error.__cause__
    return isinstance(cause, errors.UniqueViolation) and _constraint(cause) != _NEW_BUNDLE_ID


def _constraint(cause: BaseException | None) -> str | None:
    return cause.diag.constraint_name if isinstance(cause, errors.IntegrityError) else None


def log_failure(error: BaseException) -> None:
    """Type and places only: the texts of exceptions may quote what somebody sent."""
    frames = traceback.extract_tb(error.__traceback__)[-6:]
    places = " < ".join(f"{frame.name}:{frame.lineno}" for frame in reversed(frames))
    logger.error("%s.%s at %s", type(error).__module__, type(error).__qualname__, places)
