"""The journey of a patient's case: bookings, requests and responses on one page, each entry in words."""

from dataclasses import dataclass
from datetime import UTC
from itertools import groupby
from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from bars_portal.accounts.acting import Acting, acting_of
from bars_portal.accounts.decorators import refuse, sign_in_required
from bars_portal.correspondence.states import Direction
from bars_portal.nhsuk import dates
from bars_portal.patients.models import Journey
from bars_portal.patients.presenters import banner
from bars_portal.patients.selectors import patients_of_journey
from bookings.states import VIEW_PERMISSION as VIEW_BOOKINGS
from referrals.cases import history
from referrals.cases.policies import VIEW
from referrals.cases.selectors import journey_for
from referrals.cases.views import clock
from referrals.journey.timeline import Entry, EntryKind, timeline_of

# From this many looks in a row on, they are one line that opens.
_COLLAPSED = 3
_SIDES = {None: "Here", Direction.SENT: "Our side: sent", Direction.RECEIVED: "Our side: received"}
_PAGES = {
    ("bookings.booking", Direction.SENT): "bookings:detail",
    ("bookings.booking", Direction.RECEIVED): "bookings:received",
    ("referrals.referral", Direction.SENT): "referrals:sent-case",
    ("referrals.referral", Direction.RECEIVED): "referrals:received",
    ("referrals.validationcase", Direction.SENT): "referrals:sent-case",
    ("referrals.validationcase", Direction.RECEIVED): "referrals:received",
    ("referrals.unmatchedreply", Direction.SENT): "referrals:reply",
}
_FROM_OUTSIDE = frozenset({EntryKind.REPLY, EntryKind.UNMATCHED})


@dataclass(frozen=True)
class TimelineLine:
    """`when` in London time, or in UTC where that was asked for; `href` "" where there is no page.

    `message_id`: of a message that can be read. `within`: the lines that this one stands for.
    """

    when: str
    words: str
    service: str
    side: str
    detail: str
    actor: str
    href: str
    from_outside: bool
    message_id: str = ""
    within: tuple["TimelineLine", ...] = ()


def timeline_lines(entries: list[Entry], *, utc: bool = False) -> list[TimelineLine]:
    """Looks that follow one another are told together when they are many."""
    lines: list[TimelineLine] = []
    for is_view, run in groupby(entries, key=lambda entry: entry.kind is EntryKind.VIEW):
        told = [_line(entry, utc) for entry in run]
        lines += [_together(told)] if is_view and len(told) >= _COLLAPSED else told
    return lines


def _together(lines: list[TimelineLine]) -> TimelineLine:
    people = len({line.actor for line in lines})
    return TimelineLine(
        when=f"{lines[0].when} to {lines[-1].when}",
        words=f"Viewed {len(lines)} times by {people} {'person' if people == 1 else 'people'}",
        service="",
        side=_SIDES[None],
        detail="",
        actor="",
        href="",
        from_outside=False,
        within=tuple(lines),
    )


def _line(entry: Entry, utc: bool) -> TimelineLine:
    page = _PAGES.get((entry.subject_type, entry.direction)) if entry.direction else None
    return TimelineLine(
        when=_in_utc(entry) if utc else dates.format_datetime(entry.at),
        words=entry.words,
        service=entry.subject_name,
        side=_SIDES[entry.direction],
        detail=entry.detail,
        actor=entry.actor,
        href=reverse(page, args=[entry.subject_id]) if page else "",
        from_outside=entry.kind in _FROM_OUTSIDE,
        message_id=entry.message_id,
    )


def _in_utc(entry: Entry) -> str:
    moment = entry.at.astimezone(UTC)
    return f"{moment:%A} {moment.day} {moment:%B %Y} at {moment:%H:%M:%S} UTC"


@require_safe
@sign_in_required
def journey(request: HttpRequest, journey_id: UUID) -> HttpResponse:
    """Whoever may see any side of it sees that side. `?utc=1`: in UTC, for staff who read logs."""
    found = journey_of_page(request, journey_id)
    acting = acting_of(request)
    entries = timeline_of(acting, found)
    if not entries:
        raise Http404
    history.record_journey_view(journey=found, acting=acting, now=clock())
    utc = "utc" in request.GET
    context = {**about_journey(found), "lines": timeline_lines(entries, utc=utc), "utc": utc}
    return render(request, "referrals/journey.jinja", context)


def journey_of_page(request: HttpRequest, journey_id: UUID) -> Journey:
    acting: Acting | None = getattr(request, "acting", None)
    wanted = [*VIEW.values(), *VIEW_BOOKINGS.values()]
    if acting is None or not any(acting.may(each) for each in wanted):
        refuse(request, VIEW[Direction.SENT])
    found = journey_for(acting_of(request), journey_id)
    if found is None:
        raise Http404
    return found


def about_journey(journey: Journey) -> dict[str, Any]:
    patient = patients_of_journey(journey).first()
    return {"journey": journey, "banner": banner(patient) if patient else None}
