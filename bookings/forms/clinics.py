"""The form of a clinic: everything a plan says, and back into what the fields show."""

from collections.abc import Iterator, Sequence
from datetime import date, time, timedelta
from typing import Any, Unpack

from django.core.exceptions import ValidationError

from bars_portal.nhsuk.forms import (
    CheckboxesField,
    ConfirmField,
    DateField,
    NHSForm,
    SelectField,
    TextField,
)
from bars_portal.nhsuk.forms.dates import DateParts
from bars_portal.nhsuk.forms.fields import Given
from bars_portal.patients.models import Gender
from bars_portal.values import InvalidValue, read_time
from bookings.models.diary import DeliveryChannel
from bookings.models.plan import MIDNIGHT, ExceptionalDay, Hours, Plan, Session, end_in_words
from directory.hours import DAYS
from directory.models import HealthcareService

SESSIONS, BREAKS, MORE_DATES = 4, 2, 4
_WEEKDAYS = [(str(number), name) for number, name in enumerate(DAYS.values())]
_MOST_LANES, _MOST_DAYS, _MOST_LEAD = 12, 366, 14 * 24 * 60


class ClockField(TextField):
    """A time of day, like 09:00: cleans to "09:00", or to ""; 24:00 is the end of the day."""

    def __init__(self, *, label: str, **given: Unpack[Given]) -> None:
        own: Given = {"width": 5, "autocomplete": "off", "label_size": ""}
        super().__init__(label=label, max_length=8, **own | given)

    def normalise(self, text: str) -> str:
        if text.strip() in ("24:00", "24.00"):
            return "24:00"
        try:
            return f"{read_time(text):%H:%M}"
        except InvalidValue:
            raise ValidationError(f"{self.called} must be a time like 09:00", code="format") from None


class WholeField(TextField):
    """A whole number within bounds: cleans to its digits."""

    def __init__(self, *, label: str, least: int, most: int, **given: Unpack[Given]) -> None:
        own: Given = {"width": 4, "inputmode": "numeric", "autocomplete": "off"}
        super().__init__(label=label, max_length=6, **own | given)
        self.least, self.most = least, most

    def normalise(self, text: str) -> str:
        plain = text.strip()
        if not (plain.isascii() and plain.isdigit()) or not self.least <= int(plain) <= self.most:
            words = f"{self.called} must be a whole number from {self.least} to {self.most}"
            raise ValidationError(words, code="bounds")
        return str(int(plain))


def hours_between(start: str, end: str) -> Hours | None:
    """None when the end is not after the start."""
    found = Hours(time.fromisoformat(start), MIDNIGHT if end == "24:00" else time.fromisoformat(end))
    begin, close = found.minutes
    return found if begin < close and start != "24:00" else None


class ClinicForm(NHSForm):
    """`services`: where it may be made; None when that is settled. Valid, `plan` is what it says.

    `is_change`: asks from which day on, and shows the dates that have hours of their own.
    """

    name = TextField(label="Name of the clinic", max_length=80, hint="Senders may see it")
    first_day = DateField(label="First day")
    last_day = DateField(label="Last day (optional)", required=False)
    from_day = DateField(
        label="From which day on does this change count?",
        called="The day from which this change counts",
        hint="Slots before that day stay as they are",
    )
    slot_minutes = WholeField(label="Minutes a slot", least=5, most=480)
    lanes = WholeField(
        label="Patients seen at the same time",
        called="The number of patients seen at the same time",
        hint="Each has a diary of its own, a lane, and all lanes are changed together",
        least=1,
        most=_MOST_LANES,
    )
    on_bank_holidays = ConfirmField(label="Also open on bank holidays", required=False)
    lead_minutes = WholeField(
        label="Minutes before its start until which a slot can be booked",
        called="The minutes before a slot starts",
        hint="0: until it ends",
        least=0,
        most=_MOST_LEAD,
    )
    horizon_days = WholeField(
        label="Days ahead that slots are made for",
        called="The number of days ahead",
        hint="New days are added every day",
        least=1,
        most=_MOST_DAYS,
    )
    delivery_channel = SelectField(
        label="How patients are seen (optional)",
        options=list(DeliveryChannel.choices),
        empty_text="Not stated",
        required=False,
    )
    practitioner_prefix = TextField(
        label="Practitioner’s title (optional)", max_length=35, required=False, width=5
    )
    practitioner_given = TextField(label="Practitioner’s given name (optional)", required=False)
    practitioner_family = TextField(label="Practitioner’s family name (optional)", required=False)
    practitioner_gender = SelectField(
        label="Practitioner’s gender (optional)",
        options=list(Gender.choices),
        empty_text="Not stated",
        required=False,
    )
    practitioner_role = TextField(label="Practitioner’s role (optional)", required=False)
    location_name = TextField(label="Room or place (optional)", max_length=200, required=False)

    def __init__(
        self,
        *args: Any,
        services: Sequence[HealthcareService] | None,
        today: date,
        is_change: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.today = today
        self.plan: Plan | None = None
        # A role code that is not on the form stays as it is.
        self.role_code = str((kwargs.get("initial") or {}).get("practitioner_role_code", ""))
        if services is not None:
            options = [(each.service_id, each.name) for each in services]
            field = SelectField(label="Service", options=options, empty_text="Select a service")
            self.fields = {"service": field, **self.fields}
        if is_change:
            _limits(self.fields["from_day"], today, today + timedelta(days=_MOST_DAYS))
        else:
            del self.fields["from_day"]
        latest = today + timedelta(days=5 * _MOST_DAYS)
        for name in ("first_day", "last_day"):
            _limits(self.fields[name], date(2020, 1, 1), latest)
        self._add_rows()

    def _add_rows(self) -> None:
        for number in range(1, SESSIONS + 1):
            words = "" if number == 1 else f" of session {number}"
            self.fields[f"session_{number}_days"] = CheckboxesField(
                label=f"Days{words}",
                options=_WEEKDAYS,
                required=False,
                small=True,
                inline=True,
                label_size="",
            )
            self.fields[f"session_{number}_start"] = ClockField(
                label=f"First slot{words} starts", required=False
            )
            self.fields[f"session_{number}_end"] = ClockField(
                label=f"Last slot{words} ends by", required=False
            )
        for number in range(1, BREAKS + 1):
            self.fields[f"break_{number}_start"] = ClockField(label=f"Break {number} starts", required=False)
            self.fields[f"break_{number}_end"] = ClockField(label=f"Break {number} ends", required=False)
        for number in self.date_numbers:
            self.fields[f"date_{number}_day"] = DateField(
                label=f"Date {number}", required=False, label_size=""
            )
            self.fields[f"date_{number}_start"] = ClockField(label=f"Date {number} starts", required=False)
            self.fields[f"date_{number}_end"] = ClockField(label=f"Date {number} ends", required=False)

    @property
    def has_dates(self) -> bool:
        """Whether the folded part of the page has something to show."""
        return any(
            any(value) if isinstance(value := self[f"date_{number}_day"].value(), DateParts) else bool(value)
            for number in self.date_numbers
        )

    @property
    def session_numbers(self) -> range:
        return range(1, SESSIONS + 1)

    @property
    def break_numbers(self) -> range:
        return range(1, BREAKS + 1)

    @property
    def date_numbers(self) -> range:
        """Those that there are, and some to fill in."""
        there = sum(1 for name in self.initial if name.startswith("date_") and name.endswith("_day"))
        return range(1, there + MORE_DATES + 1)

    def clean(self) -> dict[str, Any]:
        told = super().clean() or self.cleaned_data
        sessions, breaks, dates = tuple(self._sessions()), tuple(self._breaks()), tuple(self._dates())
        if not sessions and not self.errors:
            self.add_error("session_1_days", "Say on which days, and from when to when, the clinic is open")
        self._check_days(told)
        if not self.errors:
            self.plan = self._plan(told, sessions, breaks, dates)
            if not any(_fits(each.hours, self.plan.slot_minutes) for each in sessions):
                self.add_error("slot_minutes", "No slot of this length fits into a session")
        return told

    def _plan(
        self,
        told: dict[str, Any],
        sessions: tuple[Session, ...],
        breaks: tuple[Hours, ...],
        dates: tuple[ExceptionalDay, ...],
    ) -> Plan:
        words = (
            "name",
            "delivery_channel",
            "practitioner_prefix",
            "practitioner_given",
            "practitioner_family",
        )
        more = ("practitioner_gender", "practitioner_role", "location_name")
        return Plan(
            first_day=told["first_day"],
            last_day=told["last_day"],
            sessions=sessions,
            breaks=breaks,
            exceptions=dates,
            slot_minutes=int(told["slot_minutes"]),
            lanes=int(told["lanes"]),
            lead_minutes=int(told["lead_minutes"]),
            horizon_days=int(told["horizon_days"]),
            on_bank_holidays=told["on_bank_holidays"],
            practitioner_role_code=self.role_code,
            **{name: told[name] for name in (*words, *more)},
        )

    def _check_days(self, told: dict[str, Any]) -> None:
        first, last, since = told.get("first_day"), told.get("last_day"), told.get("from_day")
        if first and last and last < first:
            self.add_error("last_day", "Last day must not be before the first day")
        ahead = told.get("horizon_days")
        if since and ahead and since > self.today + timedelta(days=int(ahead)):
            self.add_error("from_day", "The change must begin within the days that slots are made for")

    def _hours(self, name: str) -> Hours | None:
        """Both times or none; None also when something is wrong with them, which is said then."""
        start, end = (self.cleaned_data.get(f"{name}_{part}") for part in ("start", "end"))
        if start and end:
            found = hours_between(start, end)
            if found is None:
                self.add_error(f"{name}_end", f"{self.fields[f'{name}_end'].label} must be after its start")
            return found
        lacks = "end" if start else "start"
        if (start or end) and f"{name}_{lacks}" not in self.errors:
            self.add_error(f"{name}_{lacks}", f"Enter when it {'ends' if start else 'starts'}")
        return None

    def _sessions(self) -> Iterator[Session]:
        taken: dict[int, list[Hours]] = {}
        for number in self.session_numbers:
            days = [int(each) for each in self.cleaned_data.get(f"session_{number}_days") or []]
            hours = self._hours(f"session_{number}")
            start = f"session_{number}_start"
            if (
                days
                and hours is None
                and not any(name.startswith(f"session_{number}_") for name in self.errors)
            ):
                self.add_error(
                    start, f"Enter when {'the session' if number == 1 else f'session {number}'} starts"
                )
            if hours is not None and not days:
                self.add_error(f"session_{number}_days", "Select the days of the week")
            if hours is None or not days:
                continue
            if any(_overlap(hours, other) for day in days for other in taken.get(day, [])):
                self.add_error(start, "Two sessions of one day must not overlap")
            for day in days:
                taken.setdefault(day, []).append(hours)
            yield Session(tuple(days), hours)

    def _breaks(self) -> Iterator[Hours]:
        for number in self.break_numbers:
            if hours := self._hours(f"break_{number}"):
                yield hours

    def _dates(self) -> Iterator[ExceptionalDay]:
        found: dict[date, list[Hours]] = {}
        for number in self.date_numbers:
            day, hours = self.cleaned_data.get(f"date_{number}_day"), self._hours(f"date_{number}")
            if hours and not day and f"date_{number}_day" not in self.errors:
                self.add_error(f"date_{number}_day", "Enter the date that has these hours")
            if day:
                there = found.setdefault(day, [])
                if hours and any(_overlap(hours, other) for other in there):
                    self.add_error(f"date_{number}_start", "Hours of one date must not overlap")
                there += [hours] if hours else []
        yield from (ExceptionalDay(day, tuple(hours)) for day, hours in sorted(found.items()))


def _limits(field: object, earliest: date, latest: date) -> None:
    if isinstance(field, DateField):
        field.earliest, field.latest = earliest, latest


def _overlap(one: Hours, other: Hours) -> bool:
    return one.minutes[0] < other.minutes[1] and other.minutes[0] < one.minutes[1]


def _fits(hours: Hours, minutes: int) -> bool:
    begin, end = hours.minutes
    return end - begin >= minutes


def shown_in_form(plan: Plan) -> dict[str, Any]:
    """What the fields of `ClinicForm` show of a plan."""
    plain = ("name", "first_day", "last_day", "slot_minutes", "lanes", "lead_minutes", "horizon_days")
    people = ("prefix", "given", "family", "gender", "role", "role_code")
    shown: dict[str, Any] = {name: getattr(plan, name) for name in plain}
    shown |= {f"practitioner_{name}": getattr(plan, f"practitioner_{name}") for name in people}
    shown |= {name: getattr(plan, name) for name in ("on_bank_holidays", "delivery_channel", "location_name")}
    for number, session in enumerate(plan.sessions, start=1):
        shown[f"session_{number}_days"] = [str(each) for each in session.weekdays]
        shown |= _shown_hours(f"session_{number}", session.hours)
    for number, pause in enumerate(plan.breaks, start=1):
        shown |= _shown_hours(f"break_{number}", pause)
    number = 0
    for each in plan.exceptions:
        for hours in each.hours or (None,):
            number += 1
            shown[f"date_{number}_day"] = each.day
            shown |= _shown_hours(f"date_{number}", hours) if hours else {}
    return shown


def _shown_hours(name: str, hours: Hours) -> dict[str, str]:
    return {f"{name}_start": f"{hours.start:%H:%M}", f"{name}_end": end_in_words(hours.end)}
