"""Stored messages as conversations, both ways: joined by correlation id, and by what they are about.

A page of the list costs as many index entries as it passes (outbound_log, inbound_log), however many messages
there are. The last message of a conversation that fits stands for all of it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from django.db.models import Exists, F, OuterRef, Q, QuerySet

from bars_portal.exchange.message_log.dead_letters import in_utc, needs_person
from bars_portal.exchange.models import DeliveryState, InboundMessage, InboundState, OutboundMessage
from bars_portal.exchange.registry import services
from bars_portal.sql import cursor

Message = OutboundMessage | InboundMessage
PAGE = 25
# How many messages are looked at for a page: so many at a time, so often.
_BATCH, _MOST_BATCHES = 200, 25
# Of one conversation on a page; a partner may use one correlation id for everything.
MOST_LISTED, MOST_SHOWN = 20, 100


class Waits(StrEnum):
    PERSON = "person"
    ON_ITS_WAY = "on-its-way"

    @property
    def label(self) -> str:
        return "For a person" if self is Waits.PERSON else "For an answer"


_ON_ITS_WAY = Q(state__in=(DeliveryState.QUEUED, DeliveryState.SENDING, DeliveryState.UNKNOWN))


@dataclass(frozen=True)
class Wanted:
    """Which messages the list is about; "" and None ask for nothing. `partner` is a DoS service id."""

    partner: str = ""
    kind: str = ""
    state: str = ""
    waits: Waits | None = None


@dataclass(frozen=True, order=True)
class Place:
    """Where a page of the list ends: the next one begins before it."""

    at: datetime
    message_id: UUID

    def __str__(self) -> str:
        return f"{self.at.isoformat()}_{self.message_id}"

    @classmethod
    def read(cls, text: str) -> "Place | None":
        at, _, message_id = text.rpartition("_")
        try:
            return cls(in_utc(at), UUID(message_id))
        except (ValueError, OverflowError):
            return None


@dataclass(frozen=True)
class Conversation:
    """`id`: the correlation id, or the message's own where it has none. `messages`: newest first."""

    id: UUID
    messages: tuple[Message, ...]
    is_cut: bool = False

    @property
    def newest(self) -> Message:
        return self.messages[0]

    @property
    def partners(self) -> list[str]:
        """DoS service ids at the other end, each once."""
        return list(dict.fromkeys(found for each in self.messages if (found := partner_of(each))))


@dataclass(frozen=True)
class ConversationPage:
    conversations: list[Conversation] = field(default_factory=list)
    # None: these are the oldest.
    older: Place | None = None


def at_of(message: Message) -> datetime:
    """When it was written, or came."""
    return message.created_at if isinstance(message, OutboundMessage) else message.received_at


def partner_of(message: Message) -> str:
    """The DoS service id at the other end; "" when a received message did not say."""
    return message.service_id if isinstance(message, OutboundMessage) else message.source_service_id


def list_conversations(
    organisation_id: int, wanted: Wanted, *, before: Place | None = None, now: datetime
) -> ConversationPage:
    """Those with a message that fits, by the newest such message."""
    ours = list(services.provider.provided_by(organisation_id))
    sides: tuple[QuerySet[Any], ...] = (
        _sent(organisation_id).filter(_of_sent(wanted, now)),
        _received_by(ours).filter(_of_received(wanted)),
    )
    found, floor = _last_messages(sides, before)
    shown = found[:PAGE]
    is_more = len(found) > len(shown) or floor is not None
    messages = _listed(organisation_id, ours, [key for _, key in shown])
    return ConversationPage(
        [_conversation(key, messages.get(key, []), most=MOST_LISTED) for _, key in shown if key in messages],
        (shown[-1][0] if len(shown) == PAGE or floor is None else floor) if is_more else None,
    )


def _last_messages(
    sides: Sequence[QuerySet[Any]], before: Place | None
) -> tuple[list[tuple[Place, UUID]], Place | None]:
    """The newest that no later one of their conversation follows; and where it was given up, if it was.

    Some at a time, of both sides together: of what was read from the newest on, the first of a conversation
    is its last. Only what pages before this one show has to be asked for.
    """
    found: dict[UUID, Place] = {}
    passed: set[UUID] = set()
    begins = before
    for _ in range(_MOST_BATCHES):
        batch = _batch(sides, before)
        first = {key: place for place, key in reversed(batch) if key not in passed}
        passed |= first.keys()
        alive = _unfollowed(sides, list(first.values())) if begins is not None else set(first.values())
        found |= {key: place for key, place in first.items() if place in alive}
        if len(found) > PAGE or len(batch) < _BATCH:
            return _newest_first(found)[: PAGE + 1], None
        before = batch[-1][0]
    return _newest_first(found), before


def _newest_first(found: dict[UUID, Place]) -> list[tuple[Place, UUID]]:
    return sorted(((place, key) for key, place in found.items()), reverse=True)


def _batch(sides: Sequence[QuerySet[Any]], before: Place | None) -> list[tuple[Place, UUID]]:
    """Each side is cut before it is joined."""
    newest = ("-at", "-pk")
    first = [
        side.filter(_before(before)).order_by(*newest).values_list("at", "pk", "correlation_id")[:_BATCH]
        for side in sides
    ]
    joined = first[0].union(*first[1:], all=True).order_by("-at", "-id")[:_BATCH]
    return [(Place(at, pk), correlation_id or pk) for at, pk, correlation_id in joined]


def _unfollowed(sides: Sequence[QuerySet[Any]], places: Sequence[Place]) -> set[Place]:
    wanted = {each.message_id: each for each in places}
    followed = [~Exists(_later(each)) for each in sides]
    last = (side.filter(*followed, pk__in=wanted).values_list("pk", flat=True) for side in sides)
    return {wanted[pk] for side in last for pk in side}


def _later(rows: QuerySet[Any]) -> QuerySet[Any]:
    at, pk = OuterRef("at"), OuterRef("pk")
    # The first bound is the index's, which cannot use the second.
    later = Q(at__gte=at) & (Q(at__gt=at) | Q(pk__gt=pk))
    return rows.filter(later, correlation_id=OuterRef("correlation_id"))


def _before(place: Place | None) -> Q:
    if place is None:
        return Q()
    return Q(at__lte=place.at) & (Q(at__lt=place.at) | Q(pk__lt=place.message_id))


def _sent(organisation_id: int) -> QuerySet[Any]:
    return OutboundMessage.objects.filter(organisation_id=organisation_id).annotate(at=F("created_at"))


def _received(organisation_id: int) -> QuerySet[Any]:
    return _received_by(list(services.provider.provided_by(organisation_id)))


def _received_by(ours: Sequence[str]) -> QuerySet[Any]:
    return InboundMessage.objects.filter(service_id__in=ours).annotate(at=F("received_at"))


def _of_sent(wanted: Wanted, now: datetime) -> Q:
    asked = {"service_id": wanted.partner, "message_type": wanted.kind, "state": wanted.state}
    such = Q(**{name: value for name, value in asked.items() if value})
    if wanted.waits is Waits.PERSON:
        such &= needs_person(now)
    elif wanted.waits is Waits.ON_ITS_WAY:
        such &= _ON_ITS_WAY
    return such


def _of_received(wanted: Wanted) -> Q:
    if wanted.waits is not None or (wanted.state and wanted.state not in set(InboundState)):
        # What came was answered at once.
        return Q(pk__in=[])
    asked = {"source_service_id": wanted.partner, "message_type": wanted.kind, "state": wanted.state}
    return Q(**{name: value for name, value in asked.items() if value})


def _listed(organisation_id: int, ours: Sequence[str], keys: list[UUID]) -> dict[UUID, list[Message]]:
    """The newest messages of each conversation: their ids by what the log is indexed by, then the rows."""
    found: dict[UUID, list[Message]] = {}
    with cursor() as asking:
        asking.execute(_LISTED, [keys, organisation_id, keys, list(ours), keys, list(ours)])
        ids = [message_id for (message_id,) in asking.fetchall()]
    sent = _sent(organisation_id).defer("body", "headers")
    received = _received_by(ours).defer("body", "headers", "reply")
    for message in (each for rows in (sent, received) for each in rows.filter(pk__in=ids)):
        found.setdefault(message.correlation_id or message.pk, []).append(message)
    return found


# What came without usable ids is a conversation of its own.
_LISTED = f"""
    SELECT newest.id FROM unnest(%s::uuid[]) AS key (id), LATERAL (
        SELECT id FROM exchange_outboundmessage WHERE organisation_id = %s AND correlation_id = key.id
        ORDER BY created_at DESC, id DESC LIMIT {MOST_LISTED + 1}
    ) AS newest
    UNION ALL
    SELECT newest.id FROM unnest(%s::uuid[]) AS key (id), LATERAL (
        SELECT id FROM exchange_inboundmessage WHERE service_id = ANY(%s) AND correlation_id = key.id
        ORDER BY received_at DESC, id DESC LIMIT {MOST_LISTED + 1}
    ) AS newest
    UNION ALL
    SELECT id FROM exchange_inboundmessage
    WHERE id = ANY(%s) AND correlation_id IS NULL AND service_id = ANY(%s)
"""  # noqa: S608 - a number of ours


def _conversation(key: UUID, messages: Iterable[Message], *, most: int) -> Conversation:
    newest_first = sorted(messages, key=lambda each: (at_of(each), each.pk), reverse=True)
    return Conversation(key, tuple(newest_first[:most]), len(newest_first) > most)


# -- one conversation


def conversation_of(organisation_id: int, key: UUID) -> Conversation | None:
    """With their bytes. Also what is about the same resource under another correlation id.

    None when the organisation has nothing of it.
    """
    rows = _sent(organisation_id).prefetch_related("attempts"), _received(organisation_id)
    own = [each for side in rows for each in _whole(side, Q(correlation_id=key))]
    if not own:
        own = list(rows[1].filter(pk=key, correlation_id=None))
    about = {each.focus_id for each in own if each.focus_id}
    known = {each.pk for each in own}
    beside = [each for side in rows for each in _whole(side, Q(focus_id__in=about))] if about else []
    messages = [*own, *(each for each in beside if each.pk not in known)]
    return _conversation(key, messages, most=MOST_SHOWN) if own else None


def _whole(rows: QuerySet[Any], such: Q) -> QuerySet[Any]:
    return rows.filter(such).order_by("-at", "-pk")[: MOST_SHOWN + 1]


def message_called(organisation_id: int, message_id: UUID) -> Message | None:
    """Sent or received; None when the organisation has no such message."""
    sides = (_sent(organisation_id), _received(organisation_id))
    found = (side.filter(pk=message_id).first() for side in sides)
    return next((each for each in found if each is not None), None)


def conversation_called(organisation_id: int, called: UUID) -> UUID | None:
    """The key of the conversation with this correlation id, request id, message id or Bundle.id."""
    # A received Bundle.id is kept as it was written.
    spellings = [str(called), str(called).upper()]
    for name in ("correlation_id", "request_id", "pk", "bundle_id"):
        for side in (_sent(organisation_id), _received(organisation_id)):
            is_text = name == "bundle_id" and side.model is InboundMessage
            found = side.filter(**({f"{name}__in": spellings} if is_text else {name: called}))
            row = found.values_list("correlation_id", "pk").first()
            if row is not None:
                key: UUID = row[0] or row[1]
                return key
    return None


# -- what the list can be filtered by


def partners_of(organisation_id: int) -> list[str]:
    """DoS service ids that the organisation sent to, or heard from, sorted."""
    ours = list(services.provider.provided_by(organisation_id))
    with cursor() as asking:
        asking.execute(_PARTNERS, [organisation_id] * 2 + [ours])
        return sorted({service_id for (service_id,) in asking.fetchall() if service_id})


# Jumps from partner to partner in outbound_partner and inbound_partner.
_PARTNERS = """
    (WITH RECURSIVE partner AS (
        (SELECT min(service_id) AS id FROM exchange_outboundmessage WHERE organisation_id = %s)
        UNION ALL
        SELECT (SELECT min(service_id) FROM exchange_outboundmessage
                WHERE organisation_id = %s AND service_id > partner.id)
        FROM partner WHERE partner.id IS NOT NULL
    )
    SELECT id FROM partner WHERE id IS NOT NULL)
    UNION
    SELECT heard.id FROM unnest(%s::text[]) AS ours (id), LATERAL (
        WITH RECURSIVE partner AS (
            (SELECT min(source_service_id) AS id FROM exchange_inboundmessage WHERE service_id = ours.id)
            UNION ALL
            SELECT (SELECT min(source_service_id) FROM exchange_inboundmessage
                    WHERE service_id = ours.id AND source_service_id > partner.id)
            FROM partner WHERE partner.id IS NOT NULL
        )
        SELECT id FROM partner WHERE id IS NOT NULL
    ) AS heard
"""
