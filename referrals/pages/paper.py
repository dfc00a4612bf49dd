"""A received case as a PDF: the same as its page, with every part that is folded there."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from bars_portal.accounts.acting import acting_of, name_of
from bars_portal.accounts.decorators import permission_required
from bars_portal.correspondence.states import Direction
from bars_portal.nhsuk import dates
from bars_portal.nhsuk.documents import BRACKETS, has_signs_missing, render_pdf
from bars_portal.nhsuk.words import banner_items, banner_name
from bookings.states import BookingStatus
from referrals.cases import history
from referrals.cases.policies import VIEW
from referrals.cases.states import Category
from referrals.cases.views import clock
from referrals.cases.words import Row as PageRow
from referrals.cases.words import lines_of
from referrals.message_page.page import message_of
from referrals.message_page.reader import Alert, Group, Item, MessageView, Row
from referrals.pages.received import ReceivedPage, page_of

_NOT_STATED = "Not stated"
Part = dict[str, Any]


def paper_of(
    page: ReceivedPage, message: MessageView | None, *, now: datetime, printed_by: str
) -> dict[str, Any]:
    """Plain JSON for templates/referrals/case.typ. The title names nobody: it is the document's own."""
    title = f"{page.kind} received"
    facts = [f"{each.label} {each.value} {each.note or ''}".strip() for each in _facts(page, now)]
    sent = _message_parts(message) if message else [_unkept()]
    parts = [*_case_parts(page), *sent, *_told_here(page)]
    if has_signs_missing(str(parts) + banner_name(page.banner)):
        parts.append(_part("Signs that are missing", words=BRACKETS))
    return {
        "title": title,
        "label": title,
        "patient": banner_name(page.banner),
        "facts": " · ".join(facts),
        "facts_whole": "\n".join((banner_name(page.banner), *facts)),
        "printed": f"Printed {dates.format_datetime(now)} by {printed_by}",
        "parts": parts,
    }


def _facts(page: ReceivedPage, now: datetime) -> Iterable[Any]:
    return banner_items(page.banner, now.date())


def _case_parts(page: ReceivedPage) -> Iterator[Part]:
    if page.warnings:
        yield _part("Warnings", words="\n".join((*page.warnings, *page.flags)), alarm=True)
    elif page.flags:
        yield _part("Warnings", words="\n".join(page.flags))
    status = [f"{page.status}. Taken by {page.holder or 'nobody'}."]
    if page.due:
        status.append("Past the time to answer by." if page.breached else "")
    if any(each.is_late for each in page.links):
        status.append("The appointment is after the time by which the patient is to be seen.")
    yield _part("How it stands", words="\n".join(filter(None, status)))
    yield _part("What is asked", rows=_page_rows(page.asked))
    yield _part("Patient", rows=_page_rows(page.patient))


def _told_here(page: ReceivedPage) -> Iterator[Part]:
    """What we answered, and what colleagues here know: appointments, onward requests, notes, history."""
    for line in page.answers:
        by = f"{line.answer.author_label}, {dates.format_datetime(line.answer.created_at)}"
        rows = [_row("Delivery", [line.state]), *_page_rows(line.rows), _row("By", [by])]
        yield _part(f"Our answer: {line.kind}", rows=rows)
    links = [_booked(each.booking) for each in page.links]
    onward = [f"{each.kind} to {each.case.service.name}: {each.status}" for each in page.onward]
    notes = [f"{each.text}\n{dates.format_datetime(each.at)}, {each.author_label}" for each in page.notes]
    steps = [
        ", ".join(filter(None, (each.what, dates.format_datetime(each.at), each.who, each.note)))
        for each in page.history
    ]
    named = (
        ("Appointments that go with it", links),
        ("Referred onward", onward),
        ("Notes", notes),
        ("What happened", steps),
    )
    for title, lines in named:
        if lines:
            yield _part(title, words="\n".join(lines))


def _booked(booking: Any) -> str:
    status = BookingStatus(booking.status).label.lower()
    return f"{dates.format_datetime(booking.start)}, {booking.service.name}, {status}"


def _unkept() -> Part:
    return _part("What was sent", words="The message itself is not kept here.")


def _message_parts(message: MessageView) -> Iterator[Part]:
    yield _part("The message: at a glance", rows=_rows(message.facts))
    for warning in message.warnings:
        yield from _warning(warning)
    for group in message.groups:
        yield from _group(group)
    codes = [message.warning_codes, *(group.codes for group in message.groups)]
    listed = [
        _row(title, [_code(each) for each in found]) for listed in codes for title, found in listed if found
    ]
    if listed:
        yield _part("Codes and record details", rows=listed)


def _warning(warning: Alert) -> Iterator[Part]:
    words = "\n".join(warning.says) or _NOT_STATED
    yield _part(
        warning.item.title, words=words, rows=_rows(warning.item.rows), level=3, alarm=warning.is_alarm
    )
    yield from (part for each in warning.item.parts for part in _item(each, 4))


def _group(group: Group) -> Iterator[Part]:
    yield _part(group.title, words="" if group.items else group.silence)
    yield from (part for item in group.items for part in _item(item, 3))


def _item(item: Item, level: int) -> Iterator[Part]:
    yield _part(item.title, rows=_rows(item.rows), level=level)
    yield from (part for each in item.parts for part in _item(each, min(level + 1, 6)))


def _code(code: Any) -> str:
    system = f" ({code.system})" if code.system else ""
    return f"{code.label}: {code.code or 'no code'}{system}"


def _part(
    title: str, *, words: str = "", rows: list[Part] | None = None, level: int = 2, alarm: bool = False
) -> Part:
    return {"title": title, "words": words, "rows": rows or [], "level": level, "alarm": alarm}


def _rows(rows: Iterable[Row]) -> list[Part]:
    return [_row(each.label, list(each.lines)) for each in rows]


def _page_rows(rows: Iterable[PageRow]) -> list[Part]:
    return [_row(each["key"], lines_of(each)) for each in rows]


def _row(label: str, lines: list[str]) -> Part:
    return {"label": label, "lines": [each for each in lines if each] or [_NOT_STATED]}


_TEMPLATE = Path(__file__).resolve().parents[2] / "templates" / "referrals" / "case.typ"
# Nothing of the patient, not even our reference, in the name of a file.
NAMES = {Category.REFERRAL: "referral.pdf", Category.VALIDATION: "validation-request.pdf"}


def case_paper(page: ReceivedPage, message: MessageView | None, *, now: datetime, printed_by: str) -> bytes:
    return render_pdf(_TEMPLATE, paper_of(page, message, now=now, printed_by=printed_by))


@require_safe
@permission_required(VIEW[Direction.RECEIVED])
def case_pdf(request: HttpRequest, case_id: UUID) -> HttpResponse:
    page, acting, now = page_of(request, case_id), acting_of(request), clock()
    history.record_case_view(case=page.case, acting=acting, now=now, exported=True)
    paper = case_paper(page, message_of(page.case, now), now=now, printed_by=name_of(acting.user))
    response = HttpResponse(paper, content_type="application/pdf")
    response["Content-Disposition"] = f'attachment; filename="{NAMES[page.case.category]}"'
    return response
