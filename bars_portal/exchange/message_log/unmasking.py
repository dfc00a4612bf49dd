"""Showing somebody what a message says of its patient: for a reason that is kept, and for some minutes."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from bars_portal.accounts.acting import Acting
from bars_portal.audit.services import record
from bars_portal.exchange.message_log.conversations import Message
from bars_portal.exchange.models import OutboundMessage, Unmasking

PERMISSION = "exchange.unmask_message"
LASTS = timedelta(minutes=10)


@transaction.atomic
def unmask(*, message: Message, reason: str, acting: Acting, now: datetime) -> Unmasking:
    """Raises ValueError without a reason. The message is one of the organisation that the person acts for.

    On the trail it is a look at the message, so it is found by who asks who looked at its patient.
    """
    if not reason:
        raise ValueError("An unmasking needs a reason.")
    unmasking = Unmasking.objects.create(
        organisation=acting.organisation,
        user=acting.user,
        user_label=acting.actor.label,
        **_of(message),
        reason=reason,
        at=now,
        until=now + LASTS,
    )
    _note(acting, "exchange.unmask_message", message, now, unmasking=str(unmasking.pk))
    return unmasking


@transaction.atomic
def mask_again(*, message: Message, acting: Acting, now: datetime) -> bool:
    """Ends it for this person before its time. False when it was masked."""
    lasting = Unmasking.objects.filter(**_of(message), user=acting.user, until__gt=now)
    if not lasting.update(until=now):
        return False
    _note(acting, "exchange.mask_message", message, now)
    return True


def unmasked_until(acting: Acting, messages: Iterable[Message], *, now: datetime) -> Mapping[UUID, datetime]:
    """Until when the person sees those of the messages that are unmasked for them."""
    if not acting.may(PERMISSION):
        return {}
    rows = Unmasking.objects.filter(
        user=acting.user, organisation=acting.organisation, until__gt=now, at__lte=now
    )
    lasting = rows.order_by("until").values_list("outbound_id", "inbound_id", "until")
    wanted = {each.pk for each in messages}
    found = {sent or received: until for sent, received, until in lasting if sent or received}
    return {pk: until for pk, until in found.items() if pk in wanted}


def note_looks(acting: Acting, messages: Iterable[Message], *, now: datetime) -> None:
    """Each time that unmasked ones are shown."""
    for message in messages:
        _note(acting, "exchange.view_unmasked_message", message, now)


def unmaskings_of(organisation_id: int) -> QuerySet[Unmasking]:
    """Of the organisation's messages, by whomever; the newest first."""
    rows = Unmasking.objects.filter(organisation_id=organisation_id)
    unread = (f"{side}__{name}" for side in ("inbound", "outbound") for name in ("body", "headers"))
    return rows.select_related("inbound", "outbound", "user").defer(*unread, "inbound__reply")


def _of(message: Message) -> dict[str, Message]:
    return {"outbound" if isinstance(message, OutboundMessage) else "inbound": message}


def _note(acting: Acting, action: str, message: Message, now: datetime, **detail: str) -> None:
    record(
        actor=acting.actor,
        action=action,
        subject=message,
        detail=detail,
        correlation_id=message.correlation_id,
        now=now,
    )
