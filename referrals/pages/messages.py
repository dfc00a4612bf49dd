"""One message of a case, in words: what we sent, whole with each attempt, and what the other side answered.

Responses that answer nothing that we know stand here too.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from bars_portal.accounts.acting import acting_of
from bars_portal.accounts.decorators import permission_required, sign_in_required
from bars_portal.accounts.permissions import PolicyRefused
from bars_portal.correspondence.states import Direction
from bars_portal.exchange.fhir.bundle import MessageBundle
from bars_portal.exchange.fhir.codes import LocationType
from bars_portal.exchange.fhir.json import as_text, dicts
from bars_portal.exchange.fhir.outcomes import OutcomeError
from bars_portal.exchange.message_bytes import decode
from bars_portal.exchange.models import DeliveryAttempt, OutboundMessage
from bars_portal.exchange.registry import message_type
from bars_portal.nhsuk import dates
from bars_portal.patients.presenters import banner
from referrals.cases import history
from referrals.cases.codes import CategoryChange, compare, priority_words
from referrals.cases.models import Case, CaseReply, ReplyFacts
from referrals.cases.policies import VIEW, can_handle_unmatched
from referrals.cases.states import Category, ReplyKind
from referrals.cases.views import clock, unmatched_of, whole_number
from referrals.cases.words import HOW_FAR, Row, told_row
from referrals.journey.timeline import came_back, sent_message_for
from referrals.journey.views import about_journey, journey_of_page
from referrals.message_page.page import present_message, shown_message
from referrals.message_page.reader import MessageView
from referrals.parts.content import ContentInvalid, RequestContent, content_from_json
from referrals.parts.flags import Flag, carried_flags
from referrals.parts.places import Place, carried_places
from referrals.receiving.responses import is_asked

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
        attempts=[_attempt_line(each) for each in attempts],
        answer=asked.number if asked else 0,
        message=_whole(body, now),
    )


def _attempt_line(attempt: DeliveryAttempt) -> AttemptLine:
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
    history.record_sent_message_view(message=message, acting=acting, now=clock())
    answer = whole_number(request.GET.get("answer", ""), default=0)
    page = sent_message_page(message, answer=answer, now=clock())
    context = {**about_journey(found), "page": page, "message_id": message.pk}
    return render(request, "referrals/sent_message.jinja", context)


# (label, words): several words are several things.
Pairs = Sequence[tuple[str, str | Sequence[str]]]
_REASONS = {"RRNA": "Not available in time", "OTH": "Another reason"}


@dataclass(frozen=True)
class HeardLine:
    """`stranger`: it came from somebody whom we did not ask. `missed`: the patient did not attend.

    `safeguarding`: a concern that we did not send ourselves; answers repeat the warnings of their request.
    """

    reply: ReplyFacts
    kind: str
    sender: str
    rows: list[Row]
    verdict: str
    stranger: bool
    missed: bool
    safeguarding: bool


def heard_line(case: Case, reply: CaseReply) -> HeardLine:
    asked = is_asked(case, source_service_id=reply.source_service_id, ods_code=reply.sender_ods_code)
    line = _heard(
        reply,
        verdict=_verdict(case, reply),
        stranger=not asked,
        asked_for=case.priority,
        news=_news_of(case, reply),
    )
    return replace(line, safeguarding=reply.safeguarding and (line.missed or not case.safeguarding))


def _news_of(case: Case, reply: CaseReply) -> Pairs:
    """Of an outcome only: other replies repeat the request. Nothing where either cannot be read any more."""
    if reply.kind != ReplyKind.FULL:
        return ()
    try:
        return told_otherwise(content_from_json(case.content), MessageBundle(decode(reply.message.body)))
    except (ContentInvalid, OutcomeError):
        return ()


def unmatched_line(reply: ReplyFacts) -> HeardLine:
    """It answers nothing that we know, so there is nothing to compare it with."""
    return _heard(reply, verdict="", stranger=False, asked_for="")


def _heard(reply: ReplyFacts, *, verdict: str, stranger: bool, asked_for: str, news: Pairs = ()) -> HeardLine:
    kind = ReplyKind(reply.kind)
    return HeardLine(
        reply=reply,
        kind=kind.label,
        sender=reply.sender_name or reply.sender_ods_code or "Sender not known",
        rows=_rows(reply, asked_for, news),
        verdict=verdict,
        stranger=stranger,
        missed=kind is ReplyKind.DID_NOT_ATTEND,
        safeguarding=reply.safeguarding,
    )


def told_otherwise(asked: RequestContent, answer: MessageBundle) -> Pairs:
    """Where the patient is and which warnings hold, as far as an outcome says it otherwise than we did."""
    ours, theirs = _incident(asked.places), _incident(carried_places(answer))
    moved = ", ".join(theirs) if theirs and theirs != ours else ""
    before, now = _warnings(asked.flags), _warnings(carried_flags(answer))
    pairs: Pairs = [
        ("Where the patient is now", moved),
        ("New warning", [each for each in now if each not in before]),
        ("Warning that no longer applies", [each for each in before if each not in now]),
    ]
    return [(label, words) for label, words in pairs if words]


def _incident(places: Iterable[Place]) -> tuple[str, ...]:
    return next((each.in_words() for each in places if each.type is LocationType.INCIDENT), ())


def _warnings(flags: Iterable[Flag]) -> list[str]:
    told = ((each.category.display, each.concept.display, each.concept.text) for each in flags)
    return [": ".join(dict.fromkeys(filter(None, words))) for words in told]


def _verdict(case: Case, reply: CaseReply) -> str:
    """The one thing that an ambulance desk wants to know of a validation's outcome."""
    if case.category is not Category.VALIDATION or reply.kind != ReplyKind.FULL:
        return ""
    if reply.action_needed is None:
        return "The outcome does not say whether an ambulance is needed"
    return "An ambulance is needed" if reply.action_needed else "No ambulance is needed"


def _rows(reply: ReplyFacts, asked_for: str, news: Pairs) -> list[Row]:
    pairs: Pairs = [
        *_outcome(reply, asked_for),
        *news,
        ("How far they are", _how_far(reply)),
        ("Reason", _REASONS.get(reply.reason_code, "")),
        ("In their words", reply.reason_text),
        ("Their reference", reply.responder_reference),
        ("New ambulance case", reply.cad_id),
        ("Received", dates.format_datetime(reply.received_at)),
    ]
    return [told_row(key, value) for key, value in pairs if value]


def _how_far(reply: ReplyFacts) -> str:
    return HOW_FAR.get(reply.responder_status, "") if reply.kind == ReplyKind.CAD_STATUS else ""


def _outcome(reply: ReplyFacts, asked_for: str) -> Pairs:
    """Only an outcome has a plan of its own; the other replies repeat that of the request."""
    if reply.kind != ReplyKind.FULL:
        return []
    texts = [str(each.get("display") or each.get("text") or "") for each in reply.outcomes]
    return [
        ("Category", _priority(asked_for, reply.priority)),
        ("Outcome", list(dict.fromkeys(filter(None, texts)))),
        ("Clock starts", dates.format_datetime(reply.clock_start) if reply.clock_start else ""),
    ]


def _priority(asked: str, found: str) -> str:
    """ "Category 5: no ambulance (lowered, was category 3: urgent)" """
    if not found:
        return ""
    change = compare(asked, found)
    if change is CategoryChange.NOT_STATED:
        return priority_words(found)
    words = change.label.lower()
    if change is CategoryChange.SAME:
        return f"{priority_words(found)} (the same as before)"
    return f"{priority_words(found)} ({words}, was {priority_words(asked)})"


@require_safe
@permission_required(VIEW[Direction.SENT])
def reply(request: HttpRequest, reply_id: UUID) -> HttpResponse:
    found, acting = unmatched_of(request, reply_id), acting_of(request)
    history.record_unmatched_view(reply=found, acting=acting, now=clock())
    context = {
        "reply": found,
        "line": unmatched_line(found),
        "banner": banner(found.patient),
        "can_handle": can_handle_unmatched(acting, found),
        "message": shown_message(found.message, clock()),
    }
    return render(request, "referrals/unmatched.jinja", context)


@require_POST
@permission_required(VIEW[Direction.SENT])
def handled(request: HttpRequest, reply_id: UUID) -> HttpResponse:
    found = unmatched_of(request, reply_id)
    try:
        first = history.mark_unmatched_handled(reply=found, acting=acting_of(request), now=clock())
        words = "Marked as dealt with." if first else "This reply was dealt with already."
        messages.success(request, words)
    except PolicyRefused as refusal:
        messages.error(request, refusal.sentence)
    return redirect("referrals:reply", reply_id)
