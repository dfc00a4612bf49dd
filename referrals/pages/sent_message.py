"""One message that we sent, whole: what it said, when it was tried, and what came back each time."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from bars_portal.accounts.acting import acting_of
from bars_portal.accounts.decorators import sign_in_required
from bars_portal.exchange.fhir.bundle import MessageBundle
from bars_portal.exchange.fhir.json import as_text, dicts
from bars_portal.exchange.fhir.outcomes import OutcomeError
from bars_portal.exchange.message_bytes import decode
from bars_portal.exchange.models import DeliveryAttempt, OutboundMessage
from bars_portal.exchange.registry import message_type
from referrals.cases import viewing
from referrals.cases.views import clock, whole_number
from referrals.journey.entries import came_back, sent_message_for
from referrals.journey.views import about_journey, journey_of_page
from referrals.message_page.page import present_message
from referrals.message_page.reader import MessageView

_BUNDLE = "Bundle"


@dataclass(frozen=True)
class AttemptLine:
    """One call. `said`: what the answer itself says, where it is no message; `readable`: it is one."""

    number: int
    started_at: datetime
    outcome: str
    seconds: str
    codes: str
    said: tuple[str, ...]
    readable: bool


@dataclass(frozen=True)
class SentMessagePage:
    label: str
    sent_by: str
    attempts: list[AttemptLine]
    # Which answer is shown instead of what was sent; 0: none.
    answer: int
    message: MessageView | None


def sent_message_page(message: OutboundMessage, *, answer: int, now: datetime) -> SentMessagePage:
    """`answer`: the number of the attempt whose answer is to be read; 0 for what was sent."""
    attempts = list(message.attempts.order_by("number"))
    asked = next((each for each in attempts if each.number == answer and _is_message(each)), None)
    body = asked.reply if asked is not None else message.body
    return SentMessagePage(
        label=message_type(message.message_type).label,
        sent_by=message.actor_label,
        attempts=[_line(each) for each in attempts],
        answer=asked.number if asked else 0,
        message=_whole(body, now),
    )


def _line(attempt: DeliveryAttempt) -> AttemptLine:
    status = f"HTTP {attempt.status_code}" if attempt.status_code else ""
    return AttemptLine(
        number=attempt.number,
        started_at=attempt.started_at,
        outcome=came_back(attempt),
        seconds=f"{attempt.elapsed_ms / 1000:.1f} s" if attempt.elapsed_ms is not None else "",
        codes=", ".join(filter(None, (status, attempt.reason))),
        said=_said(attempt),
        readable=_is_message(attempt),
    )


def _whole(body: bytes | memoryview | None, now: datetime) -> MessageView | None:
    content = _decoded(body)
    return present_message(MessageBundle(content), now) if content else None


def _is_message(attempt: DeliveryAttempt) -> bool:
    return _decoded(attempt.reply).get("resourceType") == _BUNDLE


def _said(attempt: DeliveryAttempt) -> tuple[str, ...]:
    """OperationOutcome.issue.diagnostics, in the receiver's own words."""
    found = (as_text(each.get("diagnostics")) for each in dicts(_decoded(attempt.reply).get("issue")))
    return tuple(filter(None, found))


def _decoded(body: bytes | memoryview | None) -> dict[str, Any]:
    """{} for what is no JSON and no XML of FHIR."""
    if not body:
        return {}
    try:
        return decode(body)
    except OutcomeError:
        return {}


@require_safe
@sign_in_required
def sent_message(request: HttpRequest, journey_id: UUID, message_id: UUID) -> HttpResponse:
    """What was sent, and what came back. `?answer=<number of the attempt>`: that answer, read whole."""
    found, acting = journey_of_page(request, journey_id), acting_of(request)
    message = sent_message_for(acting, found, message_id)
    if message is None:
        raise Http404
    viewing.record_sent_message_view(message=message, acting=acting, now=clock())
    answer = whole_number(request.GET.get("answer", ""), default=0)
    page = sent_message_page(message, answer=answer, now=clock())
    context = {**about_journey(found), "page": page, "message_id": message.pk}
    return render(request, "referrals/sent_message.jinja", context)
