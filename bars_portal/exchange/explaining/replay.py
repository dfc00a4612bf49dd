"""A dry run: what `inbound.receive` would answer to a stored message today, and nothing of it is kept.

All that it writes stands in one transaction that is rolled back, and what waits for its commit goes with it.
Its X-Request-ID is a new one: it takes no lock from a repeat that the sender makes meanwhile.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from uuid import uuid4

from django.db import Error as DatabaseError
from django.db import connection, transaction

from bars_portal.exchange.arrival import Arrival, StoredReply, issue_of
from bars_portal.exchange.explaining.explain import Explanation, Watched, explained
from bars_portal.exchange.explaining.guidance import APPLIED, ONCE
from bars_portal.exchange.explaining.rehearsal import Rehearsed, rehearse
from bars_portal.exchange.explaining.stored import (
    Answered,
    Change,
    answered_now,
    answered_then,
    changes,
    explain_received,
    letter_of,
)
from bars_portal.exchange.fhir.outcomes import OutcomeError
from bars_portal.exchange.inbound import hosted, receive
from bars_portal.exchange.models import InboundMessage, InboundState


@dataclass(frozen=True)
class Replayed:
    """What a message met today, and how that differs from the answer that it got."""

    explanation: Explanation
    then: Answered
    now: Answered
    changes: tuple[Change, ...]
    # It was accepted, so only its rules were tried: what it did stands in its own way.
    was_applied: bool

    @property
    def is_same(self) -> bool:
        return all(each.when == "both" for each in self.changes)


def replay(message: InboundMessage) -> Replayed:
    """The dry run of a message that we have received. Keeps nothing, whatever becomes of it."""
    was_applied = message.state == InboundState.ACCEPTED
    explanation = _without_applying(message) if was_applied else _dry_run(message)
    then, now = answered_then(message), answered_now(explanation)
    return Replayed(explanation, then, now, changes(then, now), was_applied)


def _without_applying(message: InboundMessage) -> Explanation:
    applied = "It was done then, and a dry run does nothing twice."
    return explain_received(message, skipped={ONCE: applied, APPLIED: applied})


def _dry_run(message: InboundMessage) -> Explanation:
    letter, watched = letter_of(message, request_id=uuid4()), Watched()

    def answer(arrival: Arrival) -> StoredReply:
        # Only watched: `receive` reads it again, and what refuses it here refuses it there.
        with suppress(OutcomeError):
            watched.read(arrival, hosted)
        return receive(arrival)

    with transaction.atomic():
        rehearsed = _at_commit(rehearse(letter, answer))
        transaction.set_rollback(True, using=connection.alias)
    return explained(letter, rehearsed, watched, unnamed=APPLIED, skipped={})


def _at_commit(rehearsed: Rehearsed) -> Rehearsed:
    """What the database would say at the commit: constraints that it puts off until then."""
    if rehearsed.answer.issues or connection.needs_rollback:
        return rehearsed
    try:
        connection.check_constraints()
    except DatabaseError as error:
        return Rehearsed(StoredReply.refusing((issue_of(error),)), rehearsed.is_past_the_edge)
    return rehearsed
