"""What several pages begin with: the case of their address, or the 404 page."""

from datetime import UTC, datetime
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse

from bars_portal.accounts.acting import acting_of
from bars_portal.correspondence.states import Direction
from referrals.cases.models import Case, CaseAnswer, UnmatchedReply
from referrals.cases.selectors import case_for, response_for, unmatched_reply_for


def clock() -> datetime:
    return datetime.now(UTC)


def received_case_of(request: HttpRequest, case_id: UUID) -> Case:
    return _found(case_for(acting_of(request), case_id, Direction.RECEIVED))


def sent_case_of(request: HttpRequest, case_id: UUID) -> Case:
    return _found(case_for(acting_of(request), case_id, Direction.SENT))


def response_of_page(request: HttpRequest, answer_id: UUID) -> CaseAnswer:
    answer = response_for(acting_of(request), answer_id)
    if answer is None:
        raise Http404
    return answer


def unmatched_of(request: HttpRequest, reply_id: UUID) -> UnmatchedReply:
    reply = unmatched_reply_for(acting_of(request), reply_id)
    if reply is None:
        raise Http404
    return reply


def whole_number(text: str, *, default: int) -> int:
    """A number of an address or a form; anything else counts as `default`."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 9 else default


def _found(case: Case | None) -> Case:
    if case is None:
        raise Http404
    return case


def reloaded() -> HttpResponse:
    response = HttpResponse(status=204)
    response["HX-Refresh"] = "true"
    return response
