"""The timeline of a journey: each entry in words, with the page that tells more."""

from dataclasses import dataclass
from datetime import UTC

from django.urls import reverse

from bars_portal.nhsuk import dates
from referrals.journey_entries import Entry, EntryKind
from referrals.states import Direction

_SIDES = {Direction.SENT: "Our side: sent", Direction.RECEIVED: "Our side: received"}
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
    """`when` in London time, or in UTC where that was asked for; `href` "" where there is no page."""

    when: str
    words: str
    service: str
    side: str
    detail: str
    actor: str
    href: str
    from_outside: bool


def timeline_lines(entries: list[Entry], *, utc: bool = False) -> list[TimelineLine]:
    return [_line(entry, utc) for entry in entries]


def _line(entry: Entry, utc: bool) -> TimelineLine:
    page = _PAGES.get((entry.subject_type, entry.direction))
    return TimelineLine(
        when=_in_utc(entry) if utc else dates.format_datetime(entry.at),
        words=entry.words,
        service=entry.subject_name,
        side=_SIDES[entry.direction],
        detail=entry.detail,
        actor=entry.actor,
        href=reverse(page, args=[entry.subject_id]) if page else "",
        from_outside=entry.kind in _FROM_OUTSIDE,
    )


def _in_utc(entry: Entry) -> str:
    moment = entry.at.astimezone(UTC)
    return f"{moment:%A} {moment.day} {moment:%B %Y} at {moment:%H:%M:%S} UTC"
