"""The receiving side: one day of one service, and one received booking."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from bars_portal.accounts.acting import Acting
from bars_portal.correspondence.history import Step
from bars_portal.nhsuk.dates import in_london
from bars_portal.patients.presenters import PatientBanner, banner, patient_rows
from bookings import ports
from bookings.models import Booking, SlotStatus
from bookings.ports import Companions, WholeMessage
from bookings.presenters.bookings import TONES, booking_rows, history_step, short_name
from bookings.presenters.slots import appointment_rows
from bookings.selectors.received import ended_bookings_of
from bookings.selectors.sent import history_of
from bookings.selectors.slots import DiaryEntry, diary_of
from bookings.states import BookingStatus
from directory.models import HealthcareService

_SLOT_TONES = {SlotStatus.FREE: "neutral", SlotStatus.BUSY: "done", SlotStatus.BUSY_UNAVAILABLE: "waiting"}
# Free, but the diary or its service takes no bookings now.
_NOT_OFFERED = "Not offered"


@dataclass(frozen=True)
class DiaryLine:
    """One slot and, when it is booked and the person may see it, who comes."""

    start: datetime
    end: datetime
    status: str
    tone: str
    schedule: str
    booking: Booking | None
    patient: str


@dataclass(frozen=True)
class DiaryPage:
    service: HealthcareService
    day: date
    lines: list[DiaryLine]
    gone: list[dict[str, object]]

    @property
    def booked(self) -> int:
        return sum(1 for line in self.lines if line.status == SlotStatus.BUSY.label)

    @property
    def free(self) -> int:
        return sum(1 for line in self.lines if line.status == SlotStatus.FREE.label)

    @property
    def before(self) -> str:
        return (self.day - timedelta(days=1)).isoformat()

    @property
    def after(self) -> str:
        return (self.day + timedelta(days=1)).isoformat()


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

    @property
    def tone(self) -> str:
        return TONES[BookingStatus(self.booking.status)]

    @property
    def day(self) -> str:
        """The diary's day, as its address writes it."""
        return in_london(self.booking.start).date().isoformat()


def diary_page(*, service: HealthcareService, day: date, acting: Acting) -> DiaryPage:
    """Names only for people who may see received bookings: the selectors see to that."""
    return DiaryPage(
        service=service,
        day=day,
        lines=[_line(entry) for entry in diary_of(acting, service, day)],
        gone=booking_rows(ended_bookings_of(acting, service, day)),
    )


def _line(entry: DiaryEntry) -> DiaryLine:
    slot, booking = entry.slot, entry.booking
    status = SlotStatus(slot.status)
    rests = status is SlotStatus.FREE and not slot.schedule.is_in_use
    return DiaryLine(
        start=slot.start,
        end=slot.end,
        status=_NOT_OFFERED if rests else status.label,
        tone="waiting" if rests else _SLOT_TONES[status],
        schedule=slot.schedule.name,
        booking=booking,
        patient=short_name(booking) if booking else "",
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
    )
