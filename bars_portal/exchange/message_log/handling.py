"""What a person does with one message: see what it says of its patient, or have it sent as a new one.

Its patient's values are shown for a reason that is kept, and for some minutes.

Sent as a new one is only what was given up and whose fate nobody knows, by one person, in production by two:
people were told what was refused or never sent, and may have done it anew. It goes out with ids of its own,
for a receiver that takes no repeat; the old one never goes out again. So the service is asked first, and
while it has it, or does not say, nothing is sent. A booking or case hears of the new one as of any repeat.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from bars_portal.accounts.acting import Acting
from bars_portal.accounts.permissions import PolicyRefused, need
from bars_portal.audit.services import record
from bars_portal.exchange.delivery import set_aside
from bars_portal.exchange.fhir import json
from bars_portal.exchange.fhir.bundle import renewed
from bars_portal.exchange.message_log.conversations import Message
from bars_portal.exchange.message_log.dead_letters import Shown, Trouble, dead_letters
from bars_portal.exchange.models import OutboundMessage, Resending, Unmasking
from bars_portal.exchange.outbox import announce_on_commit
from bars_portal.exchange.registry import message_type
from bars_portal.exchange.transport.client import BarsClient
from bars_portal.exchange.transport.headers import REQUEST_ID

# -- unmasking it

MAY_UNMASK = "exchange.unmask_message"
UNMASKED_FOR = timedelta(minutes=10)


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
        until=now + UNMASKED_FOR,
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
    if not acting.may(MAY_UNMASK):
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


# -- sending it as a new one

MOVED_ON = "This message has moved on since you saw it, so nothing was sent."
ASKED_ALREADY = "Somebody has asked for this already."
NOT_BY_THE_SAME = "Somebody else has to agree: you asked for it."
HAS_IT = (
    "The service has it: the earlier message did arrive. Nothing was sent, and its page will say so soon."
)
NOT_SAID = "The service could not say whether it has the earlier message, so nothing was sent. Try later."


def needs_second_person() -> bool:
    return bool(settings.BARS["ENVIRONMENT"] == "prod")


def resendable(organisation_id: int, message_id: UUID, *, now: datetime) -> OutboundMessage | None:
    """One that nobody has dealt with, and of which nobody knows whether it arrived."""
    such = dead_letters(organisation_id, now=now, trouble=Trouble.NOT_KNOWN)
    return such.filter(pk=message_id).first()


def resendings_waiting(organisation_id: int) -> QuerySet[Resending]:
    """What somebody asked for and nobody has agreed to or withdrawn; the longest waiting first."""
    rows = Resending.objects.filter(
        message__organisation_id=organisation_id, agreed_at__isnull=True, withdrawn_at__isnull=True
    )
    return rows.select_related("message").defer("message__body", "message__headers").order_by("asked_at")


def ask_to_resend(
    *, shown: Shown, note: str, acting: Acting, client: BarsClient, clock: Callable[[], datetime]
) -> Resending:
    """Ask for it; where one person is enough it is sent at once.

    Raises PolicyRefused: it moved on, somebody asked before, or the service has it or does not say. Then
    nothing is kept.
    """
    need(bool(note), "Say why it is sent as a new message.")
    if needs_second_person():
        with transaction.atomic():
            return _asked(shown, note, acting, now=clock())
    message = resendable(acting.organisation.pk, shown.message_id, now=clock())
    _check_not_there(message, client, now=clock())
    with transaction.atomic():
        return _send(_asked(shown, note, acting, now=clock()), acting, now=clock())


def agree_to_resend(
    *, resending_id: int, acting: Acting, client: BarsClient, clock: Callable[[], datetime]
) -> Resending:
    """By somebody else than asked. Raises PolicyRefused, and the asking stands until it is withdrawn."""
    found = resendings_waiting(acting.organisation.pk).filter(pk=resending_id).first()
    if found is None:
        raise PolicyRefused(MOVED_ON)
    need(not found.needs_second or found.asked_by_id != acting.user.pk, NOT_BY_THE_SAME)
    _check_not_there(found.message, client, now=clock())
    with transaction.atomic():
        locked = (
            resendings_waiting(acting.organisation.pk).select_for_update(of=("self",)).filter(pk=resending_id)
        )
        resending = locked.first()
        if resending is None:
            raise PolicyRefused(MOVED_ON)
        return _send(resending, acting, now=clock())


@transaction.atomic
def withdraw_resending(*, resending_id: int, acting: Acting, now: datetime) -> bool:
    """By whoever may ask: the message waits for a person again. False when that was settled before."""
    resending = resendings_waiting(acting.organisation.pk).filter(pk=resending_id).first()
    open_still = Resending.objects.filter(pk=resending_id, agreed_at__isnull=True, withdrawn_at__isnull=True)
    if resending is None or not open_still.update(withdrawn_at=now):
        return False
    _note(acting, "exchange.withdraw_resending", resending.message, now)
    return True


def _asked(shown: Shown, note: str, acting: Acting, *, now: datetime) -> Resending:
    message = resendable(acting.organisation.pk, shown.message_id, now=now)
    if message is None or message.settled_at != shown.settled_at:
        raise PolicyRefused(MOVED_ON)
    try:
        with transaction.atomic():
            resending = Resending.objects.create(
                message=message,
                settled_at=shown.settled_at,
                note=note,
                needs_second=needs_second_person(),
                asked_at=now,
                asked_by=acting.user,
                asked_label=acting.actor.label,
            )
    except IntegrityError:
        # resending_once
        raise PolicyRefused(ASKED_ALREADY) from None
    _note(acting, "exchange.ask_to_resend", message, now)
    return resending


def _check_not_there(message: OutboundMessage | None, client: BarsClient, *, now: datetime) -> None:
    """Outside any transaction. What cannot be read at all (a response) may be sent all the same."""
    if message is None:
        raise PolicyRefused(MOVED_ON)
    read = message_type(message.message_type).read_back(message.subject_id, client, now=now)
    if read is None or read.was_applied is False:
        return
    if read.was_applied:
        # The worker asks too, and settles it.
        OutboundMessage.objects.filter(pk=message.pk, read_back_at__isnull=False).update(read_back_at=now)
    raise PolicyRefused(HAS_IT if read.was_applied else NOT_SAID)


def _send(resending: Resending, acting: Acting, *, now: datetime) -> Resending:
    """In the caller's transaction: the old one is set aside for good, the new one waits to be sent."""
    old = OutboundMessage.objects.select_for_update(of=("self",)).get(pk=resending.message_id)
    # Under the lock: a decision about it takes the same one.
    is_open = resendable(acting.organisation.pk, old.pk, now=now) is not None
    if old.settled_at != resending.settled_at or not is_open or not set_aside(old, now=now):
        raise PolicyRefused(MOVED_ON)
    new = _as_new(old, now=now)
    resending.agreed_at, resending.new_message = now, new
    resending.agreed_by, resending.agreed_label = acting.user, acting.actor.label
    resending.save(update_fields=["agreed_at", "new_message", "agreed_by", "agreed_label"])
    _note(acting, "exchange.resend_message", new, now, in_place_of=str(old.pk))
    announce_on_commit(new)
    return resending


def _as_new(old: OutboundMessage, *, now: datetime) -> OutboundMessage:
    """What it says, who says it and to whom stay; its ids are new, and it has as much time as the old had."""
    bundle_id, request_id = uuid4(), uuid4()
    body = json.dumps(renewed(json.loads(bytes(old.body)), bundle_id=bundle_id, now=now))
    kept = (
        "message_type",
        "subject_type",
        "subject_id",
        "organisation_id",
        "actor_user_id",
        "actor_label",
        "correlation_id",
        "service_id",
        "focus_id",
    )
    return OutboundMessage.objects.create(
        **{name: getattr(old, name) for name in kept},
        request_id=request_id,
        bundle_id=bundle_id,
        headers={**old.headers, REQUEST_ID: str(request_id)},
        body=body,
        created_at=now,
        abandon_at=now + (old.abandon_at - old.created_at) if old.abandon_at else None,
    )


def _note(acting: Acting, action: str, message: Message, now: datetime, **detail: str) -> None:
    record(
        actor=acting.actor,
        action=action,
        subject=message,
        detail=detail,
        correlation_id=message.correlation_id,
        now=now,
    )
