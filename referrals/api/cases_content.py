"""A received case as plain JSON: what its page shows, from the same parts and in the same words."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from rest_framework.request import Request
from rest_framework.reverse import reverse

from bars_portal.accounts.acting import Acting
from bars_portal.api.callers import Caller
from bars_portal.api.headers import etag_of
from bars_portal.api.operations import Json
from bars_portal.nhsuk.dates import in_london
from bookings.api.representation import patient_json
from bookings.states import BookingStatus
from referrals.api.cases_schema import CHANGES, COUNTED, REFER_ONWARD
from referrals.cases import links, words
from referrals.cases.codes import priority_words
from referrals.cases.models import Case, CaseAnswer, Referral
from referrals.cases.policies import can_work
from referrals.cases.states import CaseStatus, Category, ResponseState
from referrals.message_page.page import message_of
from referrals.message_page.reader import Item, MessageView
from referrals.pages.local import where_it_is
from referrals.pages.received import ReceivedPage, received_page
from referrals.responding.local import attempts_of, can_record_attempt
from referrals.responding.outcome_form import standing_warnings
from referrals.responding.policies import Decision, can_decide, is_ambulance
from referrals.responding.presenters import ResponseLine
from referrals.worklist.presenters import Line
from referrals.worklist.query import Row as ListRow

# It may still change by itself: read it again.
OPEN_ANSWERS = frozenset({ResponseState.SENDING, ResponseState.UNKNOWN})


def row_json(request: Request, line: Line, caller: Caller) -> Json:
    row = line.row
    holds = row.assigned_to_id == caller.acting.user.pk
    return {
        "id": str(row.id),
        "url": None if line.is_booking else address_of(request, row.id),
        "kind": {"code": row.kind.value, "name": line.kind},
        "state": {"code": row.status.value, "name": line.status},
        "reference": row.reference,
        "use_case": {"code": row.use_case, "name": line.asked},
        "priority": {"code": row.priority, "name": line.priority},
        "due_at": _at(line.due),
        "is_breached": line.breached,
        "received_at": _at(row.received_at),
        "warnings": line.warnings,
        "flags": line.flags,
        "service": {"id": row.service_id, "name": row.service_name},
        "requester": row.requester_name,
        "holder": {"name": row.assigned_to_name, "is_caller": holds},
        "answer_troubled": row.answer_troubled,
        "patient": _listed_patient(row) if caller.sees_patients else None,
    }


def _listed_patient(row: ListRow) -> Json:
    return {
        "family_name": row.family_name,
        "given_names": row.given_names,
        "birth_date": row.birth_date.isoformat() if row.birth_date else None,
        "nhs_number": row.nhs_number,
        "died": row.died,
    }


def counts_json(counts: Any) -> Json:
    return {name: getattr(counts, name) for name in COUNTED}


@dataclass(frozen=True)
class Shown:
    """A case as one caller reads it. Who decides on it says by `tag` what they read.

    The tag begins with the steps of the case and with who has it: nothing else of what it shows is decided
    on, so that the news that an answer has arrived refuses nobody's decision.
    """

    body: Json
    tag: str


def shown_case(request: Request, case: Case, caller: Caller, *, steps: int, now: datetime) -> Shown:
    """`steps`: counted before the case was read, so that a tag never knows more than what is shown."""
    body = case_json(request, received_page(case, acting=caller.acting, now=now), caller)
    return Shown(body, f'"{steps}.{holder_mark(case)}.{etag_of(body)[1:13]}"')


def holder_mark(case: Case) -> str:
    return str(case.assigned_to_id or 0)


def address_of(request: Request, case_id: object) -> str:
    return str(reverse("api-case", args=[case_id], request=request))


def case_json(request: Request, page: ReceivedPage, caller: Caller) -> Json:
    case, acting, now = page.case, caller.acting, page.now
    state = CaseStatus(case.status)
    message = message_of(case, now) if caller.sees_patients else None
    where = where_it_is(case) if caller.sees_patients else None
    return {
        "id": str(case.pk),
        "url": address_of(request, case.pk),
        "kind": {"code": case.category.value, "name": page.kind},
        "state": {"code": state.value, "name": page.status},
        "reference": case.reference,
        "use_case": {"code": case.use_case, "name": words.use_case_words(case.use_case)},
        "priority": {"code": case.priority, "name": priority_words(case.priority)},
        "due_at": _at(page.due),
        "is_breached": page.breached,
        "received_at": _at(case.created_at),
        "updated_at": _at(case.updated_at),
        "warnings": page.warnings,
        "flags": page.flags,
        "service": {"id": case.service.service_id, "name": case.service.name},
        "requester": case.requester_name or case.sender_name,
        "holder": {"name": page.holder, "is_caller": page.is_mine},
        "journey": str(case.journey_id),
        "version": case.version,
        "asked": _rows(page.asked),
        "can": _possible(acting, page),
        "why_not": page.actions.sentence,
        "standing_warnings": _warnings(case) if caller.sees_patients else [],
        "answers": [_answer(each) for each in page.answers],
        "notes": [{"text": each.text, **_by(each.author_label, each.at)} for each in page.notes],
        "attempts": [
            {
                "number": each.number,
                "reached": each.reached,
                "text": each.text,
                **_by(each.author_label, each.at),
            }
            for each in attempts_of(case)
        ],
        "bookings": [
            {**_booked(each.booking, is_late=each.is_late), "by_hand": each.by_hand} for each in page.links
        ],
        "linkable_bookings": _linkable(page, acting),
        "onward": [
            {"id": str(each.case.pk), "service": each.case.service.name, "state": each.status}
            for each in page.onward
        ],
        "place": where
        and {
            "sent": _rows(where.sent),
            "plotted": _rows(where.own),
            "differences": list(where.differences),
        },
        "versions": [
            {"number": each.number, "words": each.words, "at": _at(each.at)} for each in page.versions
        ],
        "history": [
            {"what": each.what, "note": each.note, **_by(each.who, each.at)} for each in page.history
        ],
        "patient": patient_json(case.patient) if caller.sees_patients else None,
        "content": content_json(message) if message else None,
    }


def _possible(acting: Acting, page: ReceivedPage) -> list[str]:
    """The changes that the caller may ask for now."""
    case, now = page.case, page.now
    decided = {name: can_decide(acting, case, each, now) for name, each in _DECISIONS.items()}
    is_validation, works = case.category is Category.VALIDATION, can_work(acting, case)
    completes = decided["complete"]
    may = {
        **decided,
        "complete": completes and not is_validation,
        "outcome": is_validation and (completes or can_decide(acting, case, Decision.REVISE, now)),
        "cad-status": is_ambulance(case) and completes,
        "assign": works,
        "notes": works,
        "attempts": can_record_attempt(acting, case),
        "place": works and case.is_current,
        "link-booking": page.can_link,
        "unlink-booking": works and any(each.by_hand for each in page.links),
        REFER_ONWARD: page.can_refer_onward,
    }
    return [name for name in (*CHANGES, REFER_ONWARD) if may[name]]


_DECISIONS = {
    "accept": Decision.ACCEPT,
    "start": Decision.START,
    "reject": Decision.REJECT,
    "complete": Decision.COMPLETE,
    "did-not-attend": Decision.RECORD_NON_ATTENDANCE,
}


def is_open_answer(answer: CaseAnswer | None) -> bool:
    return answer is not None and answer.state in OPEN_ANSWERS


def content_json(message: MessageView) -> Json:
    return {
        "facts": _lines(message.facts),
        "warnings": [
            {"says": list(each.says), "is_alarm": each.is_alarm, "item": _item(each.item)}
            for each in message.warnings
        ],
        "groups": [
            {
                "key": each.key,
                "title": each.title,
                "silence": each.silence,
                "items": [_item(item) for item in each.items],
            }
            for each in message.groups
        ],
    }


def _item(item: Item) -> Json:
    return {
        "title": item.title,
        "rows": _lines(item.rows),
        "parts": [_item(each) for each in item.parts],
        "codes": [
            {"label": each.label, "code": each.code, "system": each.system, "meaning": each.meaning}
            for each in item.codes
        ],
    }


def _lines(rows: Iterable[Any]) -> list[Json]:
    return [{"label": each.label, "lines": list(each.lines)} for each in rows]


def _rows(rows: Iterable[words.Row]) -> list[Json]:
    return [{"label": each["key"], "value": "\n".join(words.lines_of(each))} for each in rows]


def _answer(line: ResponseLine) -> Json:
    answer, may = line.answer, {"check-again": line.can_check, "send-again": line.can_send}
    return {
        "id": str(answer.pk),
        "kind": {"code": answer.kind, "name": line.kind},
        "state": {"code": answer.state, "name": line.state, "is_open": is_open_answer(answer)},
        "explanation": answer.explanation,
        "said": _rows(line.rows),
        **_by(answer.author_label, answer.created_at),
        "can": [name for name, allowed in may.items() if allowed],
    }


def _warnings(case: Case) -> list[Json]:
    if case.category is not Category.VALIDATION:
        return []
    return [{"id": url, "name": named} for url, named in standing_warnings(case)]


def _booked(booking: Any, *, is_late: bool) -> Json:
    state = BookingStatus(booking.status)
    return {
        "id": str(booking.pk),
        "start": _at(booking.start),
        "service": booking.service.name,
        "state": {"code": state.value, "name": state.label},
        "is_late": is_late,
    }


def _linkable(page: ReceivedPage, acting: Acting) -> list[Json]:
    referral = page.case
    if not isinstance(referral, Referral) or not page.can_link:
        return []
    found = links.linkable_bookings(acting, referral)
    return [_booked(each, is_late=links.is_after(each, referral.breach_at)) for each in found]


def _by(who: str, at: datetime) -> Json:
    return {"by": who, "at": _at(at)}


def _at(when: datetime | None) -> str | None:
    return in_london(when).isoformat() if when else None
