"""The timeline of a journey: each entry in words, with the page that tells more."""

from dataclasses import dataclass
from datetime import UTC
from itertools import groupby

from django.urls import reverse

from bars_portal.nhsuk import dates
from referrals.journey_entries import Entry, EntryKind
from referrals.states import Direction

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
