"""Reports of how messages went: what was sent and received, what failed, and how long answers took."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from django.db.models import (
    Case,
    CharField,
    Exists,
    FloatField,
    OuterRef,
    Q,
    QuerySet,
    Value,
    When,
)
from django.db.models.functions import Cast
from django.urls import reverse

from bars_portal.accounts.acting import Acting
from bars_portal.accounts.models import Organisation
from bars_portal.exchange.models import (
    NEVER_SENT,
    OBSOLETE,
    TROUBLED,
    UNCLEAR,
    DeadLetterDecision,
    DeliveryAttempt,
    DeliveryState,
    InboundMessage,
    InboundState,
    OutboundMessage,
)
from bars_portal.exchange.registry import message_types, services
from bars_portal.exchange.selectors import reached
from bars_portal.reports.activity import between, organisation_names, seconds_between
from bars_portal.reports.definitions import (
    NOTHING,
    VIEW_EXCHANGE,
    Dimension,
    Kind,
    Measure,
    Report,
    banded,
    fixed,
)


def _kinds(keys: Iterable[str]) -> Mapping[str, str]:
    return {each.key: each.label for each in message_types()}


def _names(keys: Iterable[str]) -> Mapping[str, str]:
    return {key: f"{name} ({key})" for key, name in services.provider.names(keys).items()}


def _log_page(acting: Acting, row: Mapping[str, Any]) -> str:
    if not acting.may("exchange.view_message_log") or row["way"] is None:
        return ""
    return reverse("messages:conversation", args=[row["way"]])


_KIND = Dimension("kind", "Kind of message", _kinds, of="message_type")
_SERVICE = Dimension("service", "Service", _names, of="service_id")
_ANSWERED = Dimension("status", "HTTP status", fixed({NOTHING: "No answer"}), of="status_code")
# What is the same of all these reports.
_OF_MESSAGES: dict[str, Any] = {"permission": VIEW_EXCHANGE, "page_of": _log_page, "way": "correlation_id"}
_TEXT = CharField()
# -- sent

_STANDS = {
    "settled": "Settled: answered, or dealt with by a person",
    "under-way": "Waiting to be sent, or being sent",
    "unsettled": "Unsettled: nobody knows whether it arrived",
}


def _sent(organisation: Organisation, now: datetime) -> QuerySet[OutboundMessage]:
    decided = DeadLetterDecision.objects.filter(message=OuterRef("pk"), settled_at=OuterRef("settled_at"))
    never = Q(state=DeliveryState.ABANDONED, reason=NEVER_SENT)
    stands = Case(
        When(state__in=(DeliveryState.QUEUED, DeliveryState.SENDING), then=Value("under-way")),
        When((UNCLEAR | never) & ~Exists(decided), then=Value("unsettled")),
        default=Value("settled"),
        output_field=_TEXT,
    )
    return OutboundMessage.objects.filter(organisation=organisation).annotate(stands=stands)


_STATE = Dimension("state", "State", fixed(dict(DeliveryState.choices)), DeliveryState.values)
_SETTLEMENT = Dimension("stands", "Settled or not", fixed(_STANDS), tuple(_STANDS))
SENT = Report(
    name="messages-sent",
    title="Messages sent",
    text="Messages that your organisation sent, by the day on which they were written, and which of them "
    "nobody has settled.",
    counted=("message", "messages"),
    rows=_sent,
    time="created_at",
    dimensions=(_STATE, _SETTLEMENT, _KIND, _SERVICE),
    when="Written",
    **_OF_MESSAGES,
)


def _failed(organisation: Organisation, now: datetime) -> QuerySet[OutboundMessage]:
    return _sent(organisation, now).filter(state__in=TROUBLED).exclude(reason=OBSOLETE)


FAILURES = Report(
    name="failures",
    title="Failures",
    text="Messages that your organisation sent and that were refused, given up or have no clear answer, by "
    "partner and by the code of the failure.",
    counted=("failure", "failures"),
    rows=_failed,
    time="created_at",
    dimensions=(
        Dimension("code", "Code", fixed({NOTHING: "Without a code"}), of="reason"),
        _SERVICE,
        _STATE,
        _SETTLEMENT,
        _KIND,
    ),
    when="Written",
    **_OF_MESSAGES,
)

# -- how long answers take

# Ends in milliseconds.
_SPEED = (
    ("half", 500, "Less than 0.5 s"),
    ("second", 1000, "0.5 to 1 s"),
    ("two", 2000, "1 to 2 s"),
    ("five", 5000, "2 to 5 s"),
    ("slow", 1_000_000_000, "5 s and more"),
)
_SPEED_OF_OURS = tuple((key, timedelta(milliseconds=end), words) for key, end, words in _SPEED)
_TOOK, _NO_ANSWER = ("took", "Response time"), "No answer"
_IN_SECONDS = (
    Measure("Half within", "seconds", Kind.HALF),
    Measure("Nine in ten within", "seconds", Kind.NINE_IN_TEN),
)


def _calls(organisation: Organisation, now: datetime) -> QuerySet[DeliveryAttempt]:
    # As a float before it is divided: else it would be a numeric, which takes ten times as long to sort.
    took = Cast("elapsed_ms", FloatField()) / Value(1000.0)
    return DeliveryAttempt.objects.filter(message__organisation=organisation).annotate(seconds=took)


CALLS = Report(
    name="response-times",
    title="Response times of partners",
    text="Every attempt to deliver a message, by the day on which the message was written: how long the "
    "answer took.",
    counted=("attempt", "attempts"),
    rows=_calls,
    time="message__created_at",
    dimensions=(
        banded(*_TOOK, "elapsed_ms", _SPEED, otherwise=_NO_ANSWER),
        replace(_SERVICE, of="message__service_id"),
        Dimension(
            "outcome",
            "Outcome",
            fixed({**dict(DeliveryState.choices), NOTHING: "Not over yet, or cut off"}),
        ),
        _ANSWERED,
    ),
    measures=_IN_SECONDS,
    when="Message written",
    **{**_OF_MESSAGES, "way": "message__correlation_id"},
)

# -- received


def _received(organisation: Organisation, now: datetime) -> QuerySet[InboundMessage]:
    return InboundMessage.objects.filter(reached(organisation.pk)).annotate(
        lasted=between("received_at", "completed_at"), seconds=seconds_between("received_at", "completed_at")
    )


RECEIVED = Report(
    name="messages-received",
    title="Messages received",
    text="Messages that others sent to your services, by the day on which they arrived: what was refused, "
    "and how long our answer took.",
    counted=("message", "messages"),
    rows=_received,
    time="received_at",
    dimensions=(
        Dimension("state", "State", fixed(dict(InboundState.choices)), InboundState.values),
        _ANSWERED,
        Dimension("partner", "Partner", organisation_names, of="sender_ods_code"),
        _SERVICE,
        _KIND,
        banded(*_TOOK, "lasted", _SPEED_OF_OURS, otherwise=_NO_ANSWER),
    ),
    measures=_IN_SECONDS,
    when="Arrived",
    **_OF_MESSAGES,
)
