"""Reads of the message log, scoped to an organisation: messages that it sent, and those to its services."""

from collections.abc import Iterable
from functools import reduce
from operator import or_

from django.db.models import Q, QuerySet

from bars_portal.exchange.models import (
    UNCLEAR,
    DeliveryAttempt,
    DeliveryState,
    InboundMessage,
    OutboundMessage,
)
from bars_portal.exchange.registry import services


def outbound_log(organisation_id: int | None) -> QuerySet[OutboundMessage]:
    """What the organisation sent; everything for None."""
    messages = OutboundMessage.objects.select_related("organisation").defer("body")
    return messages if organisation_id is None else messages.filter(organisation_id=organisation_id)


def given_up(organisation_id: int) -> QuerySet[OutboundMessage]:
    """What the organisation sent, and what was tried to the end without a clear answer; the newest first."""
    rows = outbound_log(organisation_id).filter(UNCLEAR, state=DeliveryState.ABANDONED)
    return rows.order_by("-settled_at")


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


def inbound_log(organisation_id: int | None) -> QuerySet[InboundMessage]:
    """What reached the services that the organisation provides; everything for None."""
    messages = InboundMessage.objects.defer("body", "reply")
    if organisation_id is None:
        return messages
    return messages.filter(service_id__in=services.provider.provided_by(organisation_id))
