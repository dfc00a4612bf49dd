"""A plan in words, what it would change, and who is affected; who waits for a time; what waits at home."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from uuid import UUID

from django.urls import reverse

from bars_portal.accounts.acting import Acting
from bars_portal.accounts.home import AttentionItem
from bars_portal.nhsuk import dates
from bars_portal.nhsuk.words import listed_name, summary_rows
from bars_portal.patients.selectors import newest_patient
from bookings.models import Booking, Clinic, WaitingEntry
from bookings.models.plan import LaneChange, Period, Plan
from bookings.presenters.bookings import short_name
from bookings.selectors.clinics import (
    PlanChange,
    alarms_of,
    booked_outside,
    came_free,
    horizon_of,
    is_behind,
    open_calls,
    seen_at,
    troubled_clinics,
    waiting_counts,
)
from directory.hours import DAYS, bank_holiday

_DAY_NAMES = [name[:3] for name in DAYS.values()]
_MOST_NAMED = 10
_KINDS = ("made", "same", "withdrawn", "kept", "clashes")
_WORDS = {
    "made": "new",
    "same": "as before",
    "withdrawn": "withdrawn",
    "kept": "booked, stays",
    "clashes": "cannot be made",
}
_TONES = {
    "made": "done",
    "same": "neutral",
    "withdrawn": "waiting",
    "kept": "attention",
    "clashes": "failed",
}


@dataclass(frozen=True)
class Stretch:
    """Slots one after the other with one fate."""

    times: str
    count: int
    words: str
    tone: str
    lane: str = ""


@dataclass(frozen=True)
class PictureDay:
    day: str
    stretches: list[Stretch]


@dataclass(frozen=True)
class AffectedBooking:
    booking: Booking
    when: str
    patient: str


@dataclass(frozen=True)
class PlanPreview:
    """`seen` is sent along with the yes. `week` is the first in which something changes.

    `until`: "" when nothing is made beyond the first day.
    """

    numbers: dict[str, int]
    seen: str
    since: str
    until: str
    week: list[PictureDay]
    affected: list[AffectedBooking]
    clashes: list[str]

    @property
    def changes_nothing(self) -> bool:
        return not (self.numbers["made"] or self.numbers["withdrawn"])


def plan_preview(change: PlanChange, *, affected: Iterable[Booking], now: datetime) -> PlanPreview:
    clashes = sorted({each for lane in change.lanes for each in lane.clashes})
    more = [f"and {len(clashes) - _MOST_NAMED} more"] if len(clashes) > _MOST_NAMED else []
    return PlanPreview(
        numbers=change.numbers,
        seen=seen_at(change, now),
        since=dates.format_datetime(change.since),
        until=dates.format_day(change.last_day)
        if change.last_day > dates.in_london(change.since).date()
        else "",
        week=_week(change),
        affected=affected_bookings(affected),
        clashes=[*(_when(each) for each in clashes[:_MOST_NAMED]), *more],
    )


def kept_ids(change: PlanChange) -> list[UUID]:
    """Slots that are booked and have no place in the plan."""
    return [slot.id for lane in change.lanes for slot in lane.kept]


def affected_bookings(bookings: Iterable[Booking]) -> list[AffectedBooking]:
    return [AffectedBooking(each, dates.format_datetime(each.start), short_name(each)) for each in bookings]


def _when(period: Period) -> str:
    return f"{dates.format_datetime(period[0])} to {dates.format_end(period[1])}"


def _periods(lane: LaneChange, kind: str) -> list[Period]:
    if kind == "made":
        return lane.made
    if kind == "clashes":
        return lane.clashes
    slots = {"same": lane.same, "withdrawn": lane.withdrawn, "kept": lane.kept}[kind]
    return [each.period for each in slots]


def _week(change: PlanChange) -> list[PictureDay]:
    changed = [
        period[0]
        for lane in change.lanes
        for kind in _KINDS
        if kind != "same"
        for period in _periods(lane, kind)[:1]
    ]
    if not changed:
        return []
    first = dates.in_london(min(changed)).date()
    days = [first + timedelta(days=number) for number in range(7)]
    drawn = {day: _stretches(change, day) for day in days}
    return [PictureDay(dates.format_day(day), drawn[day]) for day in days]


def _stretches(change: PlanChange, day: date) -> list[Stretch]:
    """What all lanes have in common is said once."""
    lanes = [list(_lane_stretches(lane, day)) for lane in change.lanes]
    if len(lanes) > 1 and all(lane == lanes[0] for lane in lanes):
        return [replace(each, lane="Each lane") for each in lanes[0]]
    several = len(lanes) > 1
    return [
        replace(each, lane=f"Lane {change.lanes[place].lane}" if several else "")
        for place, lane in enumerate(lanes)
        for each in lane
    ]


def _lane_stretches(lane: LaneChange, day: date) -> Iterator[Stretch]:
    found: list[tuple[datetime, datetime, int, str]] = []
    for kind in _KINDS:
        for start, end in _periods(lane, kind):
            if dates.in_london(start).date() != day:
                continue
            if found and found[-1][1] == start and found[-1][3] == kind:
                found[-1] = (found[-1][0], end, found[-1][2] + 1, kind)
            else:
                found.append((start, end, 1, kind))
    for start, end, count, kind in sorted(found):
        times = f"{dates.format_time(start)} to {dates.format_end(end)}"
        yield Stretch(times, count, _WORDS[kind], _TONES[kind])


def plan_rows(plan: Plan, *, now: datetime) -> list[dict[str, str]]:
    """What a plan says, as a summary list."""
    name = (plan.practitioner_prefix, plan.practitioner_given, plan.practitioner_family)
    closed = [
        f"{dates.format_day(each.day)}: {', '.join(hours.words for hours in each.hours) or 'closed'}"
        for each in plan.exceptions
    ]
    last = f" to {dates.format_date(plan.last_day)}" if plan.last_day else ", without an end"
    lead = f"Until {plan.lead_minutes} minutes before its start" if plan.lead_minutes else "Until it ends"
    return summary_rows(
        [
            ("Runs", f"{dates.format_date(plan.first_day)}{last}"),
            ("Open", "; ".join(f"{_days(each.weekdays)} {each.hours.words}" for each in plan.sessions)),
            ("Breaks", ", ".join(each.words for each in plan.breaks)),
            ("Bank holidays", _holiday_words(plan, now)),
            ("Other dates", "; ".join(closed)),
            ("Minutes a slot", str(plan.slot_minutes)),
            ("Patients at the same time", str(plan.lanes)),
            ("A slot can be booked", lead),
            ("Slots are made", f"{plan.horizon_days} days ahead"),
            ("How", plan.delivery_channel),
            ("With", ", ".join(filter(None, (" ".join(filter(None, name)), plan.practitioner_role)))),
            ("Place", plan.location_name),
        ]
    )


def _holiday_words(plan: Plan, now: datetime) -> str:
    """Those on which it would be open, as far ahead as slots are made."""
    first = max(plan.first_day, dates.in_london(now).date())
    ahead = [first + timedelta(days=number) for number in range((horizon_of(plan, now) - first).days + 1)]
    named = [
        dates.format_day(day)
        for day in ahead
        if bank_holiday(day) and plan.hours_of(day, is_holiday=False) and day not in _own_hours(plan)
    ]
    word = "Open" if plan.on_bank_holidays else "Closed"
    return f"{word}: {', '.join(named)}" if named else word


def _own_hours(plan: Plan) -> set[date]:
    return {each.day for each in plan.exceptions}


def _days(weekdays: tuple[int, ...]) -> str:
    if len(weekdays) == len(_DAY_NAMES):
        return "every day"
    return ", ".join(_DAY_NAMES[day] for day in sorted(weekdays))


@dataclass(frozen=True)
class ClinicPage:
    """`trouble`: why not all slots are there, "" when they are."""

    clinic: Clinic
    rows: list[dict[str, str]]
    trouble: str
    staying: list[AffectedBooking]


def clinic_page(clinic: Clinic, *, now: datetime) -> ClinicPage:
    return ClinicPage(
        clinic=clinic,
        rows=plan_rows(clinic.planned, now=now),
        trouble=trouble_of(clinic, now=now),
        staying=affected_bookings(booked_outside(clinic, now=now)),
    )


def trouble_of(clinic: Clinic, *, now: datetime) -> str:
    if is_behind(clinic, now=now):
        until = dates.format_day(clinic.filled_until) if clinic.filled_until else "no day at all"
        return f"Slots are made up to {until} only, less far ahead than planned. Tell your IT support."
    if clinic.active and clinic.left_out:
        return (
            f"{clinic.left_out} times of the plan have no slot: one that is booked or added runs into them."
        )
    return ""


@dataclass(frozen=True)
class WaitingRow:
    """Somebody for whom there was no time. `patient`: "" where the reader may not know them, or nobody does.

    `free`: the first time that would do now, "" for none; `free_on`: its day. `book`: where one is booked.
    """

    entry: WaitingEntry
    patient: str
    wanted: str
    free: str
    free_on: str
    book: str


def waiting_row(entry: WaitingEntry, *, is_own: bool) -> WaitingRow:
    """`is_own`: for who searched. Of a patient a service knows what a refused booking said, no more."""
    known = entry.booking.patient if entry.booking else newest_patient(entry.journey) if is_own else None
    patient = listed_name(known.family_name, known.given_names, known.died) if known else ""
    free_at: datetime | None = getattr(entry, "free_at", None)
    asked: dict[str, object] = {"instead": entry.booking.pk} if entry.booking else {}
    if not asked and entry.journey_id:
        asked = {"journey": entry.journey_id}
    free_on = dates.in_london(free_at).date().isoformat() if free_at else ""
    asked |= {"from": free_on} if free_on else {}
    return WaitingRow(
        entry=entry,
        patient=patient,
        wanted=_wanted(entry),
        free=dates.format_datetime(free_at) if free_at else "",
        free_on=free_on,
        book=reverse("bookings:slots", args=[entry.service.service_id], query=asked),
    )


def _wanted(entry: WaitingEntry) -> str:
    if entry.booking is not None:
        return dates.format_datetime(entry.booking.start)
    first, last = (dates.in_london(each).date() for each in (entry.wanted_from, entry.wanted_until))
    return dates.format_day(first) + (f" to {dates.format_day(last)}" if last > first else "")


def attention(acting: Acting, now: datetime) -> Iterator[AttentionItem]:
    """For who runs diaries: whom to phone, clinics without all slots, services that run out and who waits."""
    if acting.may("bookings.run_diary"):
        yield AttentionItem("calls to make", open_calls(acting).count(), reverse("bookings:calls"), True)
        troubled, listed = (
            len(troubled_clinics(acting, now=now)),
            reverse("bookings:clinics", query={"missing": 1}),
        )
        yield AttentionItem("clinics without all their slots", troubled, listed, True)
        raised = alarms_of(acting).filter(raised_at__isnull=False).count()
        yield AttentionItem(
            "services with few free slots", raised, reverse("bookings:capacity", query={"raised": 1}), True
        )
        waiting, free = waiting_counts(acting, now=now)
        listed = reverse("bookings:waiting", query={"free": 1})
        yield AttentionItem("people who could not be booked, and a time is free now", free, listed, True)
        yield AttentionItem("people who could not be booked today", waiting, reverse("bookings:waiting"))
    found = came_free(acting, now=now).count()
    where = reverse("bookings:free-again")
    yield AttentionItem("people you could not book, and a time is free now", found, where, True)
