"""Reports of what people did: bookings, appointments, slots, referrals and requests for validation."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db.models import (
    Case,
    CharField,
    DurationField,
    ExpressionWrapper,
    F,
    FloatField,
    Func,
    Q,
    QuerySet,
    Value,
    When,
)
from django.db.models.expressions import CombinedExpression
from django.urls import reverse

from bars_portal.accounts.acting import Acting
from bars_portal.accounts.models import Organisation
from bars_portal.correspondence.states import Direction
from bars_portal.reports.definitions import (
    NOTHING,
    VIEW_ACTIVITY,
    Dimension,
    Kind,
    Measure,
    Report,
    as_key,
    banded,
    fixed,
)
from bookings.models import Booking, Schedule, Slot, SlotStatus
from bookings.states import VIEW_PERMISSION, BookingStatus
from directory.models import HealthcareService
from referrals.cases.models import MODELS
from referrals.cases.policies import VIEW
from referrals.cases.states import OPEN, CaseStatus, Category

_TEXT, _NUMBER = CharField(), FloatField()
# Named, so that the index that begins with it is read alone.
_BOTH = tuple(Direction)


def _service_names(keys: Iterable[str]) -> Mapping[str, str]:
    wanted = [key for key in keys if key != NOTHING]
    found = HealthcareService.objects.filter(pk__in=wanted).values_list("pk", "name")
    return {str(pk): name for pk, name in found}


def organisation_names(keys: Iterable[str]) -> Mapping[str, str]:
    found = Organisation.objects.filter(ods_code__in=list(keys)).values_list("ods_code", "name")
    return {code: f"{name} ({code})" for code, name in found}


def _diary_names(keys: Iterable[str]) -> Mapping[str, str]:
    wanted = [key for key in keys if key != NOTHING]
    found = Schedule.objects.filter(pk__in=wanted).values_list("pk", "service__name", "name")
    return {str(pk): f"{service}: {name}" for pk, service, name in found}


def between(first: str, last: str) -> "ExpressionWrapper[CombinedExpression]":
    """As a duration; null where one of them is not there."""
    return ExpressionWrapper(F(last) - F(first), output_field=DurationField())


def seconds_between(first: str, last: str) -> Func:
    """EXTRACT would make a numeric of it first, which costs as much as all else of a row."""
    return Func(Value("epoch"), between(first, last), function="date_part", output_field=_NUMBER)


_WAYS = Dimension(
    "direction",
    "Direction",
    fixed({"sent": "Sent by your organisation", "received": "Received by your services"}),
    ("sent", "received"),
)
_SERVICE = Dimension("service", "Service", _service_names, of="service_id")
_SENDER = Dimension("partner", "Partner", organisation_names, of="sender_ods_code")
# Whom it went to, or who sent it.
_WHO = Case(
    When(direction=Direction.SENT, then=F("service__provider__ods_code")),
    default=F("sender_ods_code"),
    output_field=_TEXT,
)
_PARTNER = Dimension("partner", "Partner", organisation_names, of=as_key(_WHO), made_of=_WHO)

# -- bookings


def _bookings(organisation: Organisation, now: datetime) -> QuerySet[Booking]:
    return Booking.objects.filter(organisation=organisation, direction__in=_BOTH)


def _booking_page(acting: Acting, row: Mapping[str, Any]) -> str:
    if not acting.may(VIEW_PERMISSION[row["way"]]):
        return ""
    return reverse(
        f"bookings:{'received' if row['way'] == Direction.RECEIVED else 'detail'}", args=[row["pk"]]
    )


BOOKINGS = Report(
    name="bookings",
    title="Bookings",
    text="Bookings that your organisation made or received, by the day on which they were made.",
    permission=VIEW_ACTIVITY,
    counted=("booking", "bookings"),
    rows=_bookings,
    time="created_at",
    dimensions=(
        _WAYS,
        Dimension(
            "outcome",
            "Outcome",
            fixed({each.value: each.label for each in BookingStatus}),
            list(BookingStatus),
            of="status",
        ),
        _SERVICE,
        _PARTNER,
    ),
    when="Booked",
    named="Reference",
    page_of=_booking_page,
)

# -- appointments

_LEAD = (
    ("hour", timedelta(hours=1), "Less than 1 hour ahead"),
    ("four-hours", timedelta(hours=4), "1 to 4 hours ahead"),
    ("day", timedelta(days=1), "4 to 24 hours ahead"),
    ("week", timedelta(days=7), "1 to 7 days ahead"),
    ("later", timedelta(days=10_000), "7 days ahead and more"),
)
_ATTENDANCE = {
    BookingStatus.ATTENDED.value: "Attended",
    BookingStatus.DID_NOT_ATTEND.value: "Did not attend",
    BookingStatus.BOOKED.value: "Booked, attendance not recorded",
    BookingStatus.CANCELLED.value: "Cancelled",
    BookingStatus.ENTERED_IN_ERROR.value: "Entered in error",
}


def _appointments(organisation: Organisation, now: datetime) -> QuerySet[Booking]:
    received = Booking.objects.filter(organisation=organisation, direction=Direction.RECEIVED)
    return received.annotate(
        ahead=between("created_at", "start"), lead=seconds_between("created_at", "start")
    )


APPOINTMENTS = Report(
    name="appointments",
    title="Appointments and attendance",
    text="Appointments that others booked with your services, by the day of the appointment: how many "
    "patients came, and how long ahead they were booked.",
    permission=VIEW_ACTIVITY,
    counted=("appointment", "appointments"),
    rows=_appointments,
    time="start",
    dimensions=(
        Dimension("attendance", "Attendance", fixed(_ATTENDANCE), tuple(_ATTENDANCE), of="status"),
        banded("lead", "Lead time", "ahead", _LEAD),
        _SERVICE,
        Dimension("diary", "Diary", _diary_names, of="slot__schedule_id"),
        _SENDER,
    ),
    measures=(
        Measure(
            "Did not attend, of those recorded",
            "by_attendance",
            Kind.SHARE,
            ones=(BookingStatus.DID_NOT_ATTEND.value,),
            zeros=(BookingStatus.ATTENDED.value,),
        ),
        Measure("Half were booked within", "lead", Kind.HALF),
    ),
    when="Appointment",
    named="Reference",
    page_of=_booking_page,
    looks_ahead=True,
)

# -- slots

_SLOT_STATES = {
    SlotStatus.BUSY.value: "Booked",
    SlotStatus.FREE.value: "Free",
    SlotStatus.BUSY_UNAVAILABLE.value: "Blocked",
}


def _slots(organisation: Organisation, now: datetime) -> QuerySet[Slot]:
    # Ids, not a join: the index of a slot search then finds them by service, state and time.
    services = HealthcareService.objects.filter(provider=organisation).values_list("pk", flat=True)
    return Slot.objects.filter(service__in=list(services), status__in=list(_SLOT_STATES))


SLOTS = Report(
    name="slots",
    title="Use of slots",
    text="Slots of your diaries by their day: how many are booked, free and blocked.",
    permission=VIEW_ACTIVITY,
    counted=("slot", "slots"),
    rows=_slots,
    time="start",
    dimensions=(
        Dimension("state", "State", fixed(_SLOT_STATES), tuple(_SLOT_STATES), of="status"),
        _SERVICE,
        Dimension("diary", "Diary", _diary_names, of="schedule_id"),
    ),
    measures=(
        Measure(
            "Booked, of those not blocked",
            "by_state",
            Kind.SHARE,
            ones=(SlotStatus.BUSY.value,),
            zeros=(SlotStatus.FREE.value,),
        ),
    ),
    when="Slot",
    looks_ahead=True,
)

# -- referrals and validations

_ANSWERS = {
    "in-time": "Answered in time",
    "late": "Answered late",
    "answered": "Answered, no time was stated",
    "overdue": "Not answered, and past its time",
    "waiting": "Not answered yet",
    "ended": "Ended without an answer",
}


def _cases(category: Category, organisation: Organisation, now: datetime) -> QuerySet[Any]:
    answer = Case(
        When(answered_at__lte=F("breach_at"), then=Value("in-time")),
        When(answered_at__gt=F("breach_at"), then=Value("late")),
        When(answered_at__isnull=False, then=Value("answered")),
        When(~Q(status__in=sorted(OPEN)), then=Value("ended")),
        When(breach_at__lt=now, then=Value("overdue")),
        default=Value("waiting"),
        output_field=_TEXT,
    )
    rows: QuerySet[Any] = MODELS[category].objects.filter(
        organisation=organisation,
        direction__in=_BOTH,
    )
    timed: QuerySet[Any] = rows.annotate(
        answer=answer, to_answer=seconds_between("created_at", "answered_at")
    )
    return timed


def _case_page(acting: Acting, row: Mapping[str, Any]) -> str:
    if not acting.may(VIEW[row["way"]]):
        return ""
    page = "received" if row["way"] == Direction.RECEIVED else "sent-case"
    return reverse(f"referrals:{page}", args=[row["pk"]])


def _case_report(category: Category, title: str, counted: tuple[str, str]) -> Report:
    return Report(
        name=f"{category.value}s",
        title=title,
        text=f"{counted[1].capitalize()} that your organisation sent or received, by the day on which they "
        "began: what became of them, and how long the first answer took.",
        permission=VIEW_ACTIVITY,
        counted=counted,
        rows=lambda organisation, now: _cases(category, organisation, now),
        time="created_at",
        dimensions=(
            _WAYS,
            Dimension(
                "outcome",
                "Outcome",
                fixed({each.value: each.label for each in CaseStatus}),
                list(CaseStatus),
                of="status",
            ),
            Dimension("answer", "Time to answer", fixed(_ANSWERS), tuple(_ANSWERS), of=F("answer")),
            _SERVICE,
            _PARTNER,
        ),
        measures=(
            Measure(
                "In time, of those due",
                "by_answer",
                Kind.SHARE,
                ones=("in-time",),
                zeros=("late", "overdue"),
            ),
            Measure("Half were answered within", "to_answer", Kind.HALF),
        ),
        when="Began",
        named="Reference",
        page_of=_case_page,
    )


REFERRALS = _case_report(Category.REFERRAL, "Referrals", ("referral", "referrals"))
VALIDATIONS = _case_report(
    Category.VALIDATION, "Requests for validation", ("request for validation", "requests for validation")
)
