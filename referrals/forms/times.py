"""A day and a time as people write them, London time; and the time frame of a request."""

import re
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any

from bars_portal.nhsuk.dates import LONDON, in_london
from bars_portal.nhsuk.forms import DateField, HiddenField, TextField
from bars_portal.nhsuk.forms.dates import PARTS
from bars_portal.values import InvalidValue, read_time
from referrals.forms.base import PartForm, Step, StepValues, Typed
from referrals.parts.applications import Part, application_of
from referrals.parts.base import TimeFrame
from referrals.parts.content import RequestContent

_ZONE = re.compile(r" ?(GMT|BST)$", re.IGNORECASE)


def day(label: str, *, hint: str = "", missing: str = "") -> DateField:
    return DateField(label=label, hint=hint or "Day, month and year", missing=missing, required=False)


def hour(label: str, *, missing: str = "") -> TextField:
    return TextField(
        label=label,
        hint="24-hour London time, for example 14:30",
        required=False,
        missing=missing,
        max_length=20,
        width=5,
        autocomplete="off",
    )


def read_moment(form: PartForm, name: str) -> datetime | None:
    """For clean(): `name` and `name`_time together; what is wrong is said at the field."""
    on, at = form.answer(name), form.text(f"{name}_time")
    wrong = {name, f"{name}_time"} & set(form.errors)
    if wrong or not (on or at):
        return None
    if on is None:
        form.add_error(name, f"{form.fields[name].label}: enter the day too")
        return None
    if not at:
        form.add_error(f"{name}_time", "Enter the time of day, like 14:30")
        return None
    moment = _moment(on, at)
    if moment is None:
        form.add_error(f"{name}_time", "Enter a real time of that day, like 14:30")
    return moment


def write_moment(name: str, moment: datetime | None) -> Typed:
    if moment is None:
        return {}
    local = in_london(moment)
    twice = local.replace(fold=0).utcoffset() != local.replace(fold=1).utcoffset()
    at = f"{local:%H:%M:%S}" if local.second else f"{local:%H:%M}"
    return {**write_day(name, local.date()), f"{name}_time": f"{at} {local.tzname()}" if twice else at}


def write_day(name: str, on: date | None) -> Typed:
    if on is None:
        return {}
    return {f"{name}-day": str(on.day), f"{name}-month": str(on.month), f"{name}-year": str(on.year)}


def day_written(name: str, typed: Typed) -> date | None:
    """The reverse of `write_day`."""
    parts = [typed.get(f"{name}-{part}", "") for part in ("year", "month", "day")]
    return date(*map(int, parts)) if all(parts) else None


def moment_written(name: str, typed: Typed) -> datetime | None:
    """The reverse of `write_moment`."""
    on, at = day_written(name, typed), typed.get(f"{name}_time", "")
    return _moment(on, at) if on is not None and at else None


def clock_written(typed: str) -> datetime | None:
    """The reverse of `write_clock`."""
    return _of_its_day(typed) if typed else None


def write_part_day(name: str, known: str) -> Typed:
    """Of a FHIR date as far as it is known."""
    parts = zip(("year", "month", "day"), filter(None, known.split("-")), strict=False)
    return {f"{name}-{part}": text if part == "year" else text.lstrip("0") for part, text in parts}


def part_day_written(name: str, typed: Typed) -> str:
    """The reverse of `write_part_day`."""
    return "-".join(text.zfill(2) for part in PARTS[::-1] if (text := typed.get(f"{name}-{part}", "")))


def _moment(on: date, typed: str) -> datetime | None:
    """None for what is no time, and for the hour that a clock change leaves out."""
    zone = _ZONE.search(typed)
    try:
        at = read_time(_ZONE.sub("", typed))
    except InvalidValue:
        return None
    local = datetime.combine(on, at, LONDON)
    if zone is not None and zone[1].upper() == "GMT":
        local = local.replace(fold=1)
    instant = local.astimezone(UTC)
    return instant if instant.astimezone(LONDON).time() == at else None


_WITH_DAY = re.compile(r"([0-9]{1,2})[/. -]([0-9]{1,2})[/. -]([0-9]{4})[, ]+(.+)")
_HALF_A_DAY = timedelta(hours=12)


class ClockField(TextField):
    """A moment of a call in one line: most are of the last hour, so that the day goes without saying."""


def clock(label: str, *, hint: str = "") -> ClockField:
    return ClockField(
        label=label,
        hint=" ".join(filter(None, (hint, "London time, like 14:30, or 21/11/2026 14:30"))),
        required=False,
        max_length=30,
        width=10,
        autocomplete="off",
    )


class KeptMomentField(HiddenField):
    """A moment that the page carries from an earlier message, as ISO 8601 text."""


def kept_moment(label: str) -> KeptMomentField:
    return KeptMomentField(label=label, required=False, max_length=40)


def read_clock(form: PartForm, name: str) -> datetime | None:
    """For clean(): without a day, of the day on which it is nearest to when the form was begun."""
    typed = form.text(name)
    if not typed or name in form.errors:
        return None
    try:
        moment = _of_its_day(typed) if _WITH_DAY.fullmatch(typed) else _nearest(typed, form.asked.opened)
    except ValueError:
        moment = None
    if moment is None:
        form.add_error(name, f"{form.fields[name].label}: enter a real time, like 14:30 or 21/11/2026 14:30")
    return moment


def write_clock(moment: datetime | None) -> str:
    """With its day: it may be read again tomorrow."""
    if moment is None:
        return ""
    return f"{in_london(moment):%d/%m/%Y} {write_moment('at', moment)['at_time']}"


def check_order(form: PartForm, *names: str) -> None:
    """For clean(), of cleaned moments: one that comes before an earlier step is blamed."""
    known = [(name, moment) for name in names if (moment := form.answer(name)) is not None]
    for (before, first), (after, second) in pairwise(known):
        if second < first:
            earlier, later = (str(form.fields[each].label) for each in (before, after))
            form.add_error(after, f"{later} cannot be before: {earlier[:1].lower()}{earlier[1:]}")
            return


def _of_its_day(typed: str) -> datetime | None:
    """Raises ValueError for a day that there is not."""
    found = _WITH_DAY.fullmatch(typed)
    if found is None:
        return None
    return _moment(date(int(found[3]), int(found[2]), int(found[1])), found[4])


def _nearest(typed: str, opened: datetime) -> datetime | None:
    """A call at 23:58 that is written down at 00:05 was yesterday."""
    today = in_london(opened).date()
    around = (_moment(today + timedelta(days=days), typed) for days in (0, -1, 1))
    return next((each for each in around if each is not None and abs(each - opened) <= _HALF_A_DAY), None)


class FrameForm(PartForm):
    """`start` and `end`, each a day and a time; the start is now when only the end is given."""

    def clean(self) -> dict[str, Any]:
        start, end = read_moment(self, "start"), read_moment(self, "end")
        if end is not None and start is None and "start" not in self.errors:
            start = self.asked.opened.replace(microsecond=0)
        if start is not None and end is not None and end <= start:
            self.add_error("end_time", "The end must be later than the start")
        self.cleaned_data["frame"] = None if start is None or self.errors else (start, end)
        return self.cleaned_data

    def frame(self) -> TimeFrame | None:
        found: tuple[datetime, datetime | None] | None = self.answer("frame")
        return TimeFrame(*found) if found else None


class TimesForm(FrameForm):
    part_of = {"end": Part.BREACH_TIME, "end_time": Part.BREACH_TIME}

    start = day("Not before", hint="Now, if nothing is given. Day, month and year")
    start_time = hour("Time of day, not before")
    end = day(
        "Answer or see the patient by",
        hint="The breach time. Day, month and year",
        missing="Enter the day of the breach time",
    )
    end_time = hour("Time of day, at the latest", missing="Enter the time of day, like 14:30")

    def adapt(self) -> None:
        if application_of(self.asked.use_case).starts_now:
            del self.fields["start"], self.fields["start_time"]

    def stated(self) -> TimeFrame | None:
        return self.frame()


class TimesStep(Step):
    slug, title, section = "times", "Time frame", "Assessment"
    parts = (Part.TIME_FRAME, Part.BREACH_TIME)
    form = TimesForm

    def state(self, form: PartForm, rows: tuple[Any, ...]) -> dict[str, Any]:
        return {"time_frame": form.stated()}

    def given(self, content: RequestContent) -> StepValues:
        return StepValues(write_frame(content.time_frame))


def write_frame(frame: TimeFrame | None) -> Typed:
    if frame is None:
        return {}
    return write_moment("start", frame.start) | write_moment("end", frame.end)
