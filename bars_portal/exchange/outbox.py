"""The outbox: a message's finished bytes and ids, written in the transaction of the thing it tells about."""

from dataclasses import dataclass
from datetime import datetime
from uuid import uuid4

from django.db import models, transaction
from django.db.models import Q

from bars_portal.audit.actor import Actor
from bars_portal.exchange import circuits, tasks
from bars_portal.exchange.fhir import json
from bars_portal.exchange.fhir.bundle import MessageBundle
from bars_portal.exchange.gateway.senders import software_sent
from bars_portal.exchange.models import UNCLEAR, DeliveryState, OutboundMessage
from bars_portal.exchange.registry import Addressing, message_type, services
from bars_portal.exchange.transport.headers import OutgoingContext, Party, Practitioner, encode_headers

_ON_ITS_WAY = (DeliveryState.QUEUED, DeliveryState.SENDING)


def enqueue(
    *,
    key: str,
    subject: models.Model,
    organisation: Party,
    actor: Actor,
    now: datetime,
    practitioner: Practitioner | None = None,
) -> OutboundMessage:
    """Build and store the message; a worker is woken when the caller's transaction commits.

    Raises ValueError when `actor` does not act for `organisation`: that is who sends. Whether it has anything
    to send with, the delivery asks: what follows from an answer is written all the same.
    """
    if actor.organisation_id is None:
        raise ValueError("Only somebody who acts for an organisation can send a message.")
    software = software_sent(actor.organisation_id, ods_code=organisation.ods_code)
    kind = message_type(key)
    bundle_id = uuid4()
    to = kind.addressing(subject)
    bundle = kind.build(subject, bundle_id=bundle_id, now=now)
    written = MessageBundle(bundle)
    context = OutgoingContext(
        request_id=uuid4(),
        correlation_id=to.correlation_id,
        target=to.service_id,
        organisation=organisation,
        software=software,
        practitioner=practitioner,
        use_context=_use_context(written, to),
        version=services.provider.agreed_version(to.service_id, now=now),
    )
    message = OutboundMessage.objects.create(
        message_type=key,
        subject_type=subject._meta.label_lower,
        subject_id=str(subject.pk),
        organisation_id=actor.organisation_id,
        actor_user_id=actor.user_id,
        actor_label=actor.label,
        request_id=context.request_id,
        correlation_id=to.correlation_id,
        bundle_id=bundle_id,
        service_id=to.service_id.value,
        focus_id=written.focus_id,
        headers=encode_headers(context),
        body=json.dumps(bundle),
        created_at=now,
        abandon_at=kind.abandon_at(subject, now=now),
    )
    announce_on_commit(message)
    return message


def announce_on_commit(message: OutboundMessage) -> None:
    """Wake a worker after the commit. A broker that is down costs a second: the worker looks by itself."""
    transaction.on_commit(lambda: tasks.announce(str(message.pk)))


def latest_for(subject: models.Model) -> OutboundMessage | None:
    """The newest message about the subject, whatever became of it."""
    return _newest(subject)


def waiting_for_check(subject: models.Model) -> OutboundMessage | None:
    """The message about the subject whose outcome is not known; there is one at the most."""
    return _newest(subject, UNCLEAR)


def unsettled(subject: models.Model) -> OutboundMessage | None:
    """The newest message about the subject that waits to be sent, is being sent, or has no known outcome."""
    return _newest(subject, Q(state__in=_ON_ITS_WAY) | UNCLEAR)


def given_up_refused(subject: models.Model) -> OutboundMessage | None:
    """The newest message about the subject, when every repeat of it was refused until none was left."""
    message = latest_for(subject)
    if message is None or message.state != DeliveryState.ABANDONED:
        return None
    return message if message.is_refused_unread else None


def _newest(subject: models.Model, such: Q | None = None) -> OutboundMessage | None:
    rows = OutboundMessage.objects.filter(
        such or Q(), subject_type=subject._meta.label_lower, subject_id=str(subject.pk)
    )
    return rows.order_by("-created_at").first()


@dataclass(frozen=True)
class Trying:
    """How a message without a clear answer goes on. `next_at` is aware; all empty when it does not."""

    next_at: datetime | None = None
    is_sending: bool = False
    given_up: bool = False
    # It waits because its service does not answer, since then.
    not_answering: datetime | None = None


def trying(subject: models.Model) -> Trying:
    """Of the newest message about the subject."""
    message = latest_for(subject)
    if message is None:
        return Trying()
    repeated = message.state in _ON_ITS_WAY and message.settled_at is not None
    given_up = message.is_unclear and message.next_attempt_at is None
    since = circuits.not_answering([message.service_id]) if message.state == DeliveryState.QUEUED else {}
    return Trying(message.next_attempt_at, repeated, given_up, since.get(message.service_id))


def _use_context(message: MessageBundle, to: Addressing) -> str:
    """<use case>|<category>|<event>|<reason>, as the message itself says them (standard section 3)."""
    return f"{to.use_case}|{to.category}|{message.event}|{message.reason}"
