"""Reads of the message log, scoped to an organisation: messages that it sent, and those to its services."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import reduce
from operator import or_

from django.db.models import Q, QuerySet

from bars_portal.exchange.models import (
    GIVEN_UP,
    LATE,
    NEVER_SENT,
    DeliveryAttempt,
    DeliveryState,
    OutboundMessage,
)
from bars_portal.exchange.registry import services


def outbound_log(organisation_id: int) -> QuerySet[OutboundMessage]:
    """What the organisation sent."""
    messages = OutboundMessage.objects.select_related("organisation").defer("body")
    return messages.filter(organisation_id=organisation_id)


# What a person cannot settle, but has to know, is listed for so long.
TOLD_FOR = timedelta(days=7)


def given_up(organisation_id: int, *, now: datetime) -> QuerySet[OutboundMessage]:
    """What the organisation sent, and what was tried to the end without a clear answer; the newest first.

    Lately also: what never went out before its deadline, and what had arrived although it was given up.
    """
    lately = Q(settled_at__gt=now - TOLD_FOR)
    never = Q(state=DeliveryState.ABANDONED, reason=NEVER_SENT) & lately
    rows = outbound_log(organisation_id).filter(GIVEN_UP | never | (Q(reason=LATE) & lately))
    return rows.order_by("-settled_at")


def on_first_way(subject_type: str) -> QuerySet[OutboundMessage]:
    """Messages about such subjects of which no attempt has ended yet: nothing is known, and nothing lost."""
    return OutboundMessage.objects.filter(
        subject_type=subject_type, state__in=(DeliveryState.QUEUED, DeliveryState.SENDING), settled_at=None
    )


def outbound_about(organisation_id: int, subjects: Iterable[tuple[str, str]]) -> QuerySet[OutboundMessage]:
    """What the organisation sent about these (type, id)."""
    return OutboundMessage.objects.filter(_about(subjects), organisation_id=organisation_id)


def attempts_about(organisation_id: int, subjects: Iterable[tuple[str, str]]) -> QuerySet[DeliveryAttempt]:
    """Every call for what `outbound_about` finds, oldest first, without the bodies."""
    messages = outbound_about(organisation_id, subjects)
    rows = DeliveryAttempt.objects.filter(message__in=messages).select_related("message")
    return rows.defer("reply", "message__body").order_by("started_at", "number")


def _about(subjects: Iterable[tuple[str, str]]) -> Q:
    ids: dict[str, list[str]] = {}
    for kind, subject_id in subjects:
        ids.setdefault(kind, []).append(subject_id)
    return reduce(
        or_, (Q(subject_type=kind, subject_id__in=found) for kind, found in ids.items()), Q(pk__in=[])
    )


def reached(organisation_id: int) -> Q:
    """Of received messages, those to the services that the organisation provides."""
    return Q(service_id__in=services.provider.provided_by(organisation_id))
