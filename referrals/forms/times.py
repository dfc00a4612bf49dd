"""A day and a time as people write them, London time; and the time frame of a request."""

import re
from datetime import UTC, date, datetime
from typing import Any

from bars_portal.nhsuk.dates import LONDON, in_london
from bars_portal.nhsuk.forms import DateField, TextField
from bars_portal.values import InvalidValue, read_time
from referrals.forms.base import PartForm, Step, StepValues, Typed
from referrals.parts.applications import Part
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
