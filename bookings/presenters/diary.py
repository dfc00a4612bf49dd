"""The receiving side: some days of one service, and one received booking."""

from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from urllib.parse import urlencode
from uuid import UUID

from bars_portal.accounts.acting import Acting
from bars_portal.correspondence.history import Step
from bars_portal.nhsuk.dates import clock_change, format_end, format_time, in_london, london_midnight
from bars_portal.patients.presenters import PatientBanner, banner, patient_rows
from bookings import policies, ports
from bookings.models import Booking, DiaryBlock, Schedule, SenderCall, SlotStatus, Standing
from bookings.ports import Companions, WholeMessage
from bookings.presenters.bookings import TONES, booking_rows, history_step, short_name
from bookings.presenters.slots import appointment_rows
from bookings.selectors.clinics import calls_about
from bookings.selectors.received import ended_bookings_of
from bookings.selectors.sent import history_of
from bookings.selectors.slots import DiaryEntry, blocks_of, diaries_of, diary_of
from bookings.states import BookingStatus
from directory.models import HealthcareService

_SLOT_TONES = {
    SlotStatus.FREE: "neutral",
    SlotStatus.BUSY: "done",
    SlotStatus.BUSY_UNAVAILABLE: "waiting",
    SlotStatus.WITHDRAWN: "neutral",
}
# Free, but the diary or its service takes no bookings now.
_NOT_OFFERED = "Not offered"


@dataclass(frozen=True)
class DiaryLine:
    """One slot and, when it is booked and the person may see it, who comes."""

    start: datetime
    end: datetime
    until: str
    status: str
    tone: str
    slot_id: UUID
    schedule: str
    schedule_id: UUID
    booking: Booking | None
    patient: str
    # Booked, though the plan has no place for it any more.
    leaves: bool = False
    # Booked, though its time is blocked: somebody is to move it or to cancel it.
    in_block: bool = False

    @property
    def can_move(self) -> bool:
        return self.booking is not None and self.booking.status == BookingStatus.BOOKED


@dataclass(frozen=True)
class DiaryCell:
    """What starts at one time of the clock in one column: several slots only in a week of several diaries."""

    lines: list[DiaryLine]

    @property
    def summed(self) -> list[tuple[DiaryLine, int]]:
        """What nobody has booked is counted by its status: a week of many diaries stays short."""
        return list(_summed(self.lines))

    @property
    def target(self) -> str:
        """The first free slot, as the address of the page names it on which a booking is moved there."""
        free = self._first(SlotStatus.FREE)
        return urlencode({"on": in_london(free.start).date(), "slot": free.slot_id}) if free else ""

    @property
    def act(self) -> str:
        """What can be done to its time: "block" while something is free, else "free", or ""."""
        if self._first(SlotStatus.FREE):
            return "block"
        return "free" if self._first(SlotStatus.BUSY_UNAVAILABLE) else ""

    @property
    def clock(self) -> tuple[str, str]:
        """From when to when, as an address writes it; only of a cell with slots."""
        start, end = (in_london(pick) for pick in (self.lines[0].start, max(each.end for each in self.lines)))
        return f"{start:%H:%M}", f"{end:%H:%M}" if end.time() != time() else "24:00"

    def _first(self, status: SlotStatus) -> DiaryLine | None:
        return next((line for line in self.lines if line.status == status.label), None)


@dataclass(frozen=True)
class DiaryRow:
    """What starts at one time of the clock, in each column."""

    time: str
    cells: list[DiaryCell]


def _summed(cell: list[DiaryLine]) -> Iterator[tuple[DiaryLine, int]]:
    counts = Counter(line.status for line in cell if line.booking is None)
    for line in cell:
        if line.booking is not None:
            yield line, 1
        elif line.status in counts:
            yield line, counts.pop(line.status)


@dataclass(frozen=True)
class DiaryPage:
    """`columns` are the diaries of a day, or the days of a week: in words, and as an address names each."""

    service: HealthcareService
    day: date
    days: int
    lines: list[DiaryLine]
    gone: list[dict[str, object]]
    columns: list[tuple[str, str]]
    rows: list[DiaryRow]
    diaries: list[Schedule]
    chosen: list[Schedule]
    blocks: list[DiaryBlock]

    @property
    def booked(self) -> int:
        return sum(1 for line in self.lines if line.status == SlotStatus.BUSY.label)

    @property
    def free(self) -> int:
        return sum(1 for line in self.lines if line.status == SlotStatus.FREE.label)

    @property
    def before(self) -> str:
        return (self.day - timedelta(days=self.days)).isoformat()

    @property
    def after(self) -> str:
        return (self.day + timedelta(days=self.days)).isoformat()

    @property
    def last_day(self) -> date:
        return self.day + timedelta(days=self.days - 1)

    @property
    def of_columns(self) -> str:
        """What every column has in common: its service, and the day or the diaries."""
        shared = [("diary", each.pk) for each in self.chosen] if self.days > 1 else [("on", self.day)]
        return urlencode([("service", self.service.service_id), *shared])

    @property
    def query(self) -> str:
        """What is chosen, for the addresses of other days and files."""
        chosen = [] if len(self.chosen) == len(self.diaries) else [("diary", each.pk) for each in self.chosen]
        view = [("view", "week")] if self.days > 1 else []
        return urlencode([("service", self.service.service_id), *view, *chosen])


@dataclass(frozen=True)
class ReceivedPage:
    booking: Booking
    banner: PatientBanner
    status: str
    appointment: list[dict[str, str]]
    patient: list[dict[str, str]]
    history: list[Step]
    companions: Companions
    whole: WholeMessage | None
    calls: list[SenderCall]
    can_run: bool
    can_change: bool
    can_say_attended: bool

    @property
    def tone(self) -> str:
        return TONES[BookingStatus(self.booking.status)]

    @property
    def day(self) -> str:
        """The diary's day, as its address writes it."""
        return in_london(self.booking.start).date().isoformat()


def diary_page(
    *,
    service: HealthcareService,
    day: date,
    acting: Acting,
    days: int = 1,
    chosen: Collection[str] = (),
) -> DiaryPage:
    """Names only for people who may see received bookings: the selectors see to that.

    `chosen`: keys of diaries; all of the service when it names none of them.
    """
    diaries = list(diaries_of(acting, service))
    named = [each for each in diaries if str(each.pk) in chosen] or diaries
    entries = diary_of(
        acting,
        service,
        day,
        days=days,
        diaries=[each.pk for each in named] if len(named) < len(diaries) else (),
    )
    begin, end = london_midnight(day), london_midnight(day + timedelta(days=days))
    blocks = list(blocks_of([each.pk for each in named], start=begin, end=end))
    lines = [_line(entry, blocks) for entry in entries]
    shown = {line.schedule_id for line in lines}
    columns = (
        [str(each.pk) for each in named if each.pk in shown]
        if days == 1
        else [(day + timedelta(days=number)).isoformat() for number in range(days)]
    )
    names = {str(each.pk): each.name for each in named}
    return DiaryPage(
        service=service,
        day=day,
        days=days,
        lines=lines,
        gone=booking_rows(ended_bookings_of(acting, service, day)) if days == 1 else [],
        columns=[
            (names[each], urlencode({"diary": each}))
            if days == 1
            else (_day_words(each), urlencode({"on": each}))
            for each in columns
        ],
        rows=_rows(lines, columns, by_day=days > 1),
        diaries=diaries,
        chosen=named,
        blocks=blocks,
    )


def _day_words(iso: str) -> str:
    day = date.fromisoformat(iso)
    mark = clock_change(day)
    return f"{day:%a} {day.day} {day:%b}" + (f" ({mark})" if mark else "")


def _rows(lines: list[DiaryLine], columns: list[str], *, by_day: bool) -> list[DiaryRow]:
    places = {key: place for place, key in enumerate(columns)}
    found: dict[tuple[time, int], DiaryRow] = {}
    for line in lines:
        local = in_london(line.start)
        row = found.setdefault(
            (local.time(), local.fold), DiaryRow(format_time(line.start), [DiaryCell([]) for _ in columns])
        )
        row.cells[places[local.date().isoformat() if by_day else str(line.schedule_id)]].lines.append(line)
    return [found[key] for key in sorted(found)]


def _line(entry: DiaryEntry, blocks: list[DiaryBlock]) -> DiaryLine:
    slot, booking = entry.slot, entry.booking
    status = SlotStatus(slot.status)
    rests = status is SlotStatus.FREE and not slot.schedule.is_in_use
    came = BookingStatus(booking.status) if booking and booking.status != BookingStatus.BOOKED else None
    tone = TONES[came] if came else _SLOT_TONES[status]
    return DiaryLine(
        start=slot.start,
        end=slot.end,
        until=format_end(slot.end),
        status=_NOT_OFFERED if rests else came.label if came else status.label,
        tone="waiting" if rests else tone,
        slot_id=slot.pk,
        schedule=slot.schedule.name,
        schedule_id=slot.schedule_id,
        booking=booking,
        patient=short_name(booking) if booking else "",
        leaves=slot.standing == Standing.LEAVING,
        in_block=booking is not None
        and came is None
        and any(
            each.schedule_id == slot.schedule_id and each.start < slot.end and each.end > slot.start
            for each in blocks
        ),
    )


def received_page(booking: Booking, *, acting: Acting, now: datetime) -> ReceivedPage:
    return ReceivedPage(
        booking=booking,
        banner=banner(booking.patient),
        status=BookingStatus(booking.status).label,
        appointment=[
            *appointment_rows(booking),
            {"key": "Booked by", "value": booking.sender_name or booking.sender_ods_code},
        ],
        patient=patient_rows(booking.patient),
        history=[history_step(change, booking) for change in history_of(booking)],
        companions=ports.companions.provider(booking, acting),
        whole=ports.whole_message.provider(booking, now),
        calls=list(calls_about(booking)),
        can_run=policies.can_run_booking(acting, booking),
        can_change=policies.can_move(acting, booking),
        can_say_attended=policies.can_say_attended(acting, booking, now),
    )
