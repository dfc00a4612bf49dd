"""Sending what the outbox holds: claim, send outside any transaction, settle. The same for every attempt."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import F, OuterRef, Subquery
from django.db.models.functions import Now

from bars_portal import correlation
from bars_portal.exchange import circuits, waiting
from bars_portal.exchange.circuits import Admission
from bars_portal.exchange.fhir import json
from bars_portal.exchange.fhir.bundle import MessageBundle
from bars_portal.exchange.fhir.identifiers import ServiceID
from bars_portal.exchange.fhir.replies import shortfall
from bars_portal.exchange.models import (
    NOT_READ,
    OBSOLETE,
    UNCLEAR,
    DeliveryAttempt,
    DeliveryState,
    OutboundMessage,
    Resending,
)
from bars_portal.exchange.registry import Outcome, message_type, services
from bars_portal.exchange.settlement import NOT_SENT_REASONS, Sent, actor_of, record_attempt, settle
from bars_portal.exchange.transport.auth import NoCredentials
from bars_portal.exchange.transport.client import BarsClient, organisation_of
from bars_portal.exchange.transport.judgement import (
    Delivery,
    Health,
    Judgement,
    health_of_answer,
    health_of_error,
    judge_answer,
    judge_error,
)
from bars_portal.exchange.waiting import LEASE, held_by, may_go_out
from bars_portal.http import TransportError
from bars_portal.metrics.figures import DELIVERIES, partner_label
from bars_portal.sql import let_go_of_connection

# The token's issuer failed, not the service.
_NOT_THE_SERVICE = frozenset({"token-refused", "no-credentials"})
# The one failure of a server that says that nothing was done.
_NOT_IMPLEMENTED = 501


def deliver(message_id: UUID, *, client: BarsClient, clock: Callable[[], datetime]) -> DeliveryState | None:
    """Send once what is queued or due again. None when it was not ours to send, or not now.

    Not ours: sent already, or being sent. Not now: an earlier message of its conversation comes first, or its
    service is spared. A repeat that nobody wants any more is not sent: it ends as abandoned.
    """
    now = clock()
    # Whether it may go out is asked once, by who claims it: the question costs more than all else here.
    service_id = OutboundMessage.objects.filter(pk=message_id).values_list("service_id", flat=True).first()
    admission = circuits.admit(service_id, now=now) if service_id else Admission.REFUSED
    attempt = _claim(message_id, now=now) if admission is not Admission.REFUSED else None
    if service_id is None or attempt is None:
        circuits.give_back(service_id or "", admission, now=clock())
        return None
    with correlation.within(attempt.message.correlation_id), waiting.keeper.holding(attempt, clock):
        if attempt.number > 1 and _is_withdrawn(attempt, now=clock()):
            circuits.give_back(service_id, admission, now=clock())
            return DeliveryState.ABANDONED
        let_go_of_connection()
        sent = _send(attempt.message, client, now=clock())
        shown, asked = _counted(attempt, sent, admission), sent.judgement.retry_after
        circuits.note(service_id, shown, admission, now=clock(), retry_after=asked)
        outcome = _outcome(attempt, sent, client, now=clock())
        state = settle(attempt, sent, outcome, now=clock())
    code = str(sent.answer.status) if sent.answer else sent.judgement.reason
    DELIVERIES.labels(partner_label(service_id), outcome.delivery, code).inc()
    # Not in that transaction: what holds the service's row there would wait for everything else in it.
    _note_contact(attempt.message, sent.judgement, now=clock())
    return state


def _counted(attempt: DeliveryAttempt, sent: Sent, admission: Admission) -> Health:
    """What it says of the partner: a message that fails each time it is repeated may be the cause itself."""
    is_repeat = attempt.number > 1 and admission is Admission.FREE
    return Health.UNSAID if is_repeat and sent.health is Health.DOWN else sent.health


def _note_contact(message: OutboundMessage, judged: Judgement, *, now: datetime) -> None:
    """The service's health, as this attempt shows it. A refusal may be the proxy's, so it says nothing."""
    if judged.delivery is Delivery.REFUSED or judged.reason in _NOT_THE_SERVICE:
        return
    answered = judged.delivery is not Delivery.UNKNOWN
    services.provider.note_contact(ServiceID.parse(message.service_id), answered=answered, now=now)


def queue_again(message: OutboundMessage) -> bool:
    """Let a person send an unclear message once more, the very same bytes and ids; the repeats begin anew.

    False when it is not unclear, or is being sent at this moment: the database says who was first.
    """
    changed = OutboundMessage.objects.filter(UNCLEAR, pk=message.pk).update(
        state=DeliveryState.QUEUED,
        next_attempt_at=None,
        read_back_at=None,
        repeats=0,
        # As much time as the first time; by the clock that all processes share.
        abandon_at=Now() + (F("abandon_at") - F("created_at")),
    )
    return changed == 1


def set_aside(message: OutboundMessage, *, now: datetime) -> bool:
    """End a message that was given up: a new one takes its place, so these bytes never go out again.

    False when it was not given up, or somebody queued it again first.
    """
    given_up = OutboundMessage.objects.filter(UNCLEAR, pk=message.pk, state=DeliveryState.ABANDONED)
    return given_up.update(reason=OBSOLETE, settled_at=now) == 1


def _claim(message_id: UUID, *, now: datetime) -> DeliveryAttempt | None:
    """None when it may not go out now, or when anything became of it since it was read."""
    attempts = DeliveryAttempt.objects.filter(message=OuterRef("pk")).order_by("-number")
    rows = OutboundMessage.objects.select_related("organisation")
    numbered = rows.annotate(attempted=Subquery(attempts.values("number")[:1]))
    message = numbered.filter(pk=message_id).first()
    if message is None:
        return None
    still = {"state": message.state, "repeats": message.repeats, "settled_at": message.settled_at}
    # Only what goes out by itself counts; who presses "check again" begins anew.
    repeats = message.repeats + 1 if message.state == DeliveryState.UNKNOWN else 0
    values = {
        "state": DeliveryState.SENDING,
        "sending_since": now,
        "lease_until": now + LEASE,
        "next_attempt_at": None,
        "repeats": repeats,
    }
    with transaction.atomic():
        if not may_go_out(now=now).filter(pk=message_id, **still).update(**values):
            return None
        for name, value in values.items():
            setattr(message, name, value)
        number = (message.attempted or 0) + 1
        return DeliveryAttempt.objects.create(message=message, number=number, started_at=now)


def _send(message: OutboundMessage, client: BarsClient, *, now: datetime) -> Sent:
    try:
        if organisation_of(message.headers) != message.organisation.ods_code:
            # It would bear the token of whoever the headers name.
            raise NoCredentials("other-organisation")
        answer = client.post("/$process-message", body=bytes(message.body), headers=message.headers)
    except TransportError as error:
        return Sent(judge_error(error), health=health_of_error(error))
    judged = judge_answer(
        answer, request_id=message.request_id, correlation_id=message.correlation_id, now=now
    )
    return Sent(judged, answer, health_of_answer(answer))


def _outcome(attempt: DeliveryAttempt, sent: Sent, client: BarsClient, *, now: datetime) -> Outcome:
    """What the answer comes to: held against what was asked, and read back where it is not final."""
    judged = sent.judgement
    outcome = Outcome(judged.delivery, judged.reason, issues=judged.issues)
    if judged.delivery is Delivery.ACCEPTED and sent.answer is not None:
        return _compared(attempt.message, outcome, MessageBundle(json.loads(sent.answer.body)))
    if judged.delivery is Delivery.DUPLICATE or _may_be_applied(attempt, sent):
        return _read_back(attempt.message, outcome, client, now=now)
    return outcome


def _compared(message: OutboundMessage, outcome: Outcome, reply: MessageBundle) -> Outcome:
    lacks = shortfall(MessageBundle(json.loads(bytes(message.body))), reply)
    if lacks:
        return replace(outcome, delivery=Delivery.UNKNOWN, reason=lacks, reply=reply)
    return replace(outcome, reply=reply)


def _may_be_applied(attempt: DeliveryAttempt, sent: Sent) -> bool:
    """A refusal that is not final: the other side failed, or an attempt before this one may have arrived.

    Standard section 12, "Outcomes".
    """
    if sent.judgement.delivery is not Delivery.REFUSED or sent.answer is None:
        return False
    if sent.answer.status >= 500 and sent.answer.status != _NOT_IMPLEMENTED:
        return True
    if Resending.objects.filter(new_message=attempt.message_id).exists():
        # It was sent in place of one whose fate nobody knew.
        return True
    before = attempt.message.attempts.filter(number__lt=attempt.number)
    return before.exclude(reason__in=NOT_SENT_REASONS).exists()


def _read_back(message: OutboundMessage, outcome: Outcome, client: BarsClient, *, now: datetime) -> Outcome:
    """The outcome as the other side itself shows it; unknown when it does not."""
    read = message_type(message.message_type).read_back(message.subject_id, client, now=now)
    duplicate, reason = outcome.delivery is Delivery.DUPLICATE, outcome.reason
    if duplicate and (read is None or (read.was_applied is None and read.found)):
        # Whoever knows the request id has taken it (standard section 8), and no read says otherwise.
        return replace(outcome, found=read.found if read else None)
    if read is None or read.was_applied is None:
        return replace(outcome, delivery=Delivery.UNKNOWN, reason=f"{reason}{NOT_READ}")
    if read.was_applied:
        delivery = Delivery.DUPLICATE if duplicate else Delivery.FOUND
        return replace(outcome, delivery=delivery, reason=f"{reason}/applied", found=read.found)
    # Known there, and not there to be seen: neither a booking nor a refusal.
    delivery = Delivery.UNKNOWN if duplicate else Delivery.REFUSED
    return replace(outcome, delivery=delivery, reason=f"{reason}/not-applied")


def _is_withdrawn(attempt: DeliveryAttempt, *, now: datetime) -> bool:
    """Nobody wants it sent any more: it ends here."""
    message = attempt.message
    kind = message_type(message.message_type)
    with transaction.atomic():
        held_by(attempt).select_for_update().first()
        if not kind.withdraw(message.subject_id, actor=actor_of(message), now=now):
            return False
        held_by(attempt).update(state=DeliveryState.ABANDONED, reason=OBSOLETE, settled_at=now)
        attempt.finished_at, attempt.outcome, attempt.reason = now, "not-sent", OBSOLETE
        attempt.save()
        record_attempt(attempt, DeliveryState.ABANDONED, OBSOLETE, now)
    return True
