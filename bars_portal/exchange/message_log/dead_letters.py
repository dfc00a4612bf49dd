"""Messages that were not delivered and need a person, and what a person may do with many of them at once.

A message is judged as it stood when it was shown: one that moved on since is left out. What a booking or a
case says of itself does not change here; that follows from an answer, or is put right on its own page.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from bars_portal.accounts.acting import Acting
from bars_portal.audit.services import record
from bars_portal.exchange.delivery import queue_again
from bars_portal.exchange.models import (
    GIVEN_UP,
    NEVER_SENT,
    DeadLetterDecision,
    Decision,
    DeliveryState,
    OutboundMessage,
)
from bars_portal.exchange.outbox import announce_on_commit
from bars_portal.exchange.selectors import outbound_log

# What was refused or never sent is no news after that.
LISTED_FOR = timedelta(days=30)
MOST_AT_ONCE = 500
_LATEST_DECISIONS = 50


class Trouble(StrEnum):
    """Why a message is listed; refused ones and those still tried only when asked for."""

    NOT_KNOWN = "not-known"
    NEVER_SENT = "never-sent"
    REFUSED = "refused"
    STILL_TRIED = "still-tried"

    @property
    def label(self) -> str:
        return _LABELS[self]


_LABELS = {
    Trouble.NOT_KNOWN: "Given up, not known whether it arrived",
    Trouble.NEVER_SENT: "Never sent before its deadline",
    Trouble.REFUSED: "Refused",
    Trouble.STILL_TRIED: "No clear answer yet, still being tried",
}
_SUCH = {
    Trouble.NOT_KNOWN: GIVEN_UP,
    Trouble.NEVER_SENT: Q(state=DeliveryState.ABANDONED, reason=NEVER_SENT),
    Trouble.REFUSED: Q(state=DeliveryState.REFUSED),
    Trouble.STILL_TRIED: Q(state=DeliveryState.UNKNOWN),
}
# What nobody else looks after.
NEEDS_PERSON = (Trouble.NOT_KNOWN, Trouble.NEVER_SENT)
_NEWS = (Trouble.NEVER_SENT, Trouble.REFUSED)


def trouble_of(message: OutboundMessage) -> Trouble | None:
    """Of a row that was read; None when it is no dead letter."""
    if message.state == DeliveryState.REFUSED:
        return Trouble.REFUSED
    if message.state == DeliveryState.UNKNOWN:
        return Trouble.STILL_TRIED
    if message.is_unclear:
        return Trouble.NOT_KNOWN
    never = message.state == DeliveryState.ABANDONED and message.reason == NEVER_SENT
    return Trouble.NEVER_SENT if never else None


def _in(trouble: Trouble, now: datetime) -> Q:
    lately = Q(settled_at__gt=now - LISTED_FOR) if trouble in _NEWS else Q()
    return _SUCH[trouble] & lately


def _undecided() -> Q:
    decided = DeadLetterDecision.objects.filter(message=OuterRef("pk"), settled_at=OuterRef("settled_at"))
    return Q(~Exists(decided), settled_at__isnull=False)


def needs_person(now: datetime) -> Q:
    """Of sent messages: what goes no further by itself, and nobody has dealt with."""
    given_up, never = (_in(each, now) for each in NEEDS_PERSON)
    return (given_up | never) & _undecided()


def dead_letters(
    organisation_id: int, *, now: datetime, trouble: Trouble | None = None, service_id: str = ""
) -> QuerySet[OutboundMessage]:
    """What nobody has dealt with; the newest first. Without `trouble`: what needs a person."""
    such = _in(trouble, now) & _undecided() if trouble else needs_person(now)
    rows = outbound_log(organisation_id).filter(such).order_by("-settled_at", "-pk")
    return rows.filter(service_id=service_id) if service_id else rows


def counts(organisation_id: int, *, now: datetime) -> dict[Trouble, int]:
    rows = OutboundMessage.objects.filter(_any(now), organisation_id=organisation_id)
    names = {each: each.value.replace("-", "_") for each in Trouble}
    found = rows.aggregate(**{names[each]: Count("pk", filter=_in(each, now)) for each in Trouble})
    return {each: found[names[each]] for each in Trouble}


# -- what a person does


class Act(StrEnum):
    TRY_AGAIN = "try-again"
    SET_ASIDE = "set-aside"
    SETTLED = "settled"

    @property
    def decision(self) -> Decision | None:
        """None: it is tried again, which decides nothing."""
        return None if self is Act.TRY_AGAIN else Decision(self.value)


_NOT_AGAIN = {
    Trouble.REFUSED: "The service refused it, so it is not sent again. Whoever sent it was told.",
    Trouble.NEVER_SENT: "People were told that it was not sent, so it may have been done anew since.",
}


def why_not(message: OutboundMessage, act: Act) -> str:
    """Why the act does not fit the message; "" when it does."""
    trouble = trouble_of(message)
    if trouble is None:
        return "It has moved on."
    return _NOT_AGAIN.get(trouble, "") if act is Act.TRY_AGAIN else ""


def in_utc(text: str) -> datetime:
    """An instant of an address or a form, as the database takes it. Raises ValueError and OverflowError."""
    found = datetime.fromisoformat(text)
    if found.tzinfo is None:
        raise ValueError("An instant needs an offset.")
    return found.astimezone(UTC)


@dataclass(frozen=True)
class Shown:
    """A message as somebody saw it."""

    message_id: UUID
    settled_at: datetime

    def __str__(self) -> str:
        return f"{self.message_id}@{self.settled_at.isoformat()}"

    @classmethod
    def read(cls, text: str) -> "Shown | None":
        message_id, _, settled_at = text.partition("@")
        try:
            return cls(UUID(message_id), in_utc(settled_at))
        except (ValueError, OverflowError):
            return None


def still_there(
    organisation_id: int, shown: Sequence[Shown], *, now: datetime
) -> tuple[list[OutboundMessage], int]:
    """Those that stand as they were shown, newest first, and how many moved on, or were never theirs."""
    wanted = {each.message_id: each.settled_at for each in shown[:MOST_AT_ONCE]}
    rows = outbound_log(organisation_id).filter(_any(now), pk__in=wanted).order_by("-settled_at", "-pk")
    found = [each for each in rows if each.settled_at == wanted[each.pk]]
    return found, len(wanted) - len(found)


def _any(now: datetime) -> Q:
    first, *rest = (_in(each, now) for each in Trouble)
    for each in rest:
        first |= each
    return first & _undecided()


@dataclass(frozen=True)
class Result:
    done: int
    # They moved on, somebody else was first, or the act does not fit them.
    left_out: int


def act_on(*, shown: Sequence[Shown], act: Act, note: str, acting: Acting, now: datetime) -> Result:
    """Each in a transaction of its own, so that one that is being sent holds up none of the others.

    Raises ValueError for a decision without a note: why is kept.
    """
    if act.decision and not note:
        raise ValueError("A decision needs a note.")
    once = dict.fromkeys(shown[:MOST_AT_ONCE])
    done = sum(_act(each, act, note, acting, now) for each in once)
    return Result(done, len(once) - done)


def _act(shown: Shown, act: Act, note: str, acting: Acting, now: datetime) -> bool:
    try:
        with transaction.atomic():
            rows = outbound_log(acting.organisation.pk).select_for_update(of=("self",))
            message = rows.filter(_any(now), pk=shown.message_id, settled_at=shown.settled_at).first()
            if message is None or why_not(message, act) or not _done(message, shown, act, note, acting, now):
                return False
            record(
                actor=acting.actor,
                action=f"exchange.{act.value.replace('-', '_')}",
                subject=message,
                detail={"was": message.state, "reason": message.reason},
                correlation_id=message.correlation_id,
                now=now,
            )
    except IntegrityError:
        # Somebody else decided at the same moment: dead_letter_decided_once.
        return False
    return True


def _done(message: OutboundMessage, shown: Shown, act: Act, note: str, acting: Acting, now: datetime) -> bool:
    if act.decision is None:
        queued = queue_again(message)
        if queued:
            announce_on_commit(message)
        return queued
    DeadLetterDecision.objects.create(
        message=message,
        settled_at=shown.settled_at,
        decision=act.decision,
        note=note,
        decided_at=now,
        actor_user=acting.user,
        actor_label=acting.actor.label,
    )
    return True


def latest_decisions(organisation_id: int) -> QuerySet[DeadLetterDecision]:
    """The newest first, with their messages."""
    rows = DeadLetterDecision.objects.filter(message__organisation_id=organisation_id)
    return rows.select_related("message").defer("message__body", "message__headers")[:_LATEST_DECISIONS]


@transaction.atomic
def take_back(*, decision_id: int, acting: Acting, now: datetime) -> bool:
    """The message is a dead letter again. False when there is no such decision, or not any more."""
    rows = DeadLetterDecision.objects.filter(message__organisation=acting.organisation, pk=decision_id)
    decision = rows.select_related("message").first()
    if decision is None or not DeadLetterDecision.objects.filter(pk=decision_id).delete()[0]:
        return False
    record(
        actor=acting.actor,
        action="exchange.take_back_decision",
        subject=decision.message,
        detail={"decision": decision.decision},
        correlation_id=decision.message.correlation_id,
        now=now,
    )
    return True
