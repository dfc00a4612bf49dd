"""What a failing database means for a partner: too slow is 408, away is 503; nothing else is said."""

import logging
import traceback

from django.db import Error as DatabaseError
from django.db import IntegrityError, InterfaceError, OperationalError
from psycopg import errors

from bars_portal.exchange.fhir.outcomes import Issue, OutcomeCode

logger = logging.getLogger(__name__)

_BUNDLE_ID = "inbound_new_bundle_id_once"
_TOO_SLOW = (errors.QueryCanceled, errors.LockNotAvailable, errors.IdleInTransactionSessionTimeout)


def issue_of(error: DatabaseError) -> Issue:
    """The issue to answer with. A lost race for Bundle.id is the sender's fault, all else is ours."""
    cause = error.__cause__
    if isinstance(cause, _TOO_SLOW):
        return Issue(OutcomeCode.TIMEOUT, "The request took too long and was given up.")
    if isinstance(error, IntegrityError) and _constraint(cause) == _BUNDLE_ID:
        return Issue(
            OutcomeCode.INVARIANT, "Bundle.id was used before: a new message needs a new one.", ("Bundle.id",)
        )
    log_failure(error)
    if isinstance(error, OperationalError | InterfaceError):
        return Issue(OutcomeCode.UNAVAILABLE, "The service cannot answer now; try again later.")
    return Issue(OutcomeCode.NO_STORE, "The message could not be stored.")


def may_go_well_again(error: IntegrityError) -> bool:
    """Something unique was taken, and it was not Bundle.id: a second attempt draws or finds another."""
    return isinstance(error.__cause__, errors.UniqueViolation) and _constraint(error.__cause__) != _BUNDLE_ID


def log_failure(error: BaseException) -> None:
    """Type and places only: the texts of exceptions may quote what somebody sent."""
    frames = traceback.extract_tb(error.__traceback__)[-6:]
    places = " < ".join(f"{frame.name}:{frame.lineno}" for frame in reversed(frames))
    logger.error("%s.%s at %s", type(error).__module__, type(error).__qualname__, places)


def _constraint(cause: BaseException | None) -> str | None:
    return cause.diag.constraint_name if isinstance(cause, errors.IntegrityError) else None
