"""From when, and by when: ServiceRequest.occurrencePeriod; after its end a validation breaches."""

from datetime import datetime
from typing import Any

from referrals.content import Part, RequestContent, TimeFrame
from referrals.forms import moments
from referrals.forms.base import Answers, PartForm
from referrals.forms.step import Given, Step


class FrameForm(PartForm):
    """`start` and `end`, each a day and a time; the start is now when only the end is given."""

    def clean(self) -> dict[str, Any]:
        start, end = moments.read_moment(self, "start"), moments.read_moment(self, "end")
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

    start = moments.day("Not before", hint="Now, if nothing is given. Day, month and year")
    start_time = moments.hour("Time of day, not before")
    end = moments.day(
        "Answer or see the patient by",
        hint="The breach time. Day, month and year",
        missing="Enter the day of the breach time",
    )
    end_time = moments.hour("Time of day, at the latest", missing="Enter the time of day, like 14:30")

    def stated(self) -> TimeFrame | None:
        return self.frame()


class TimesStep(Step):
    slug, title, section = "times", "Time frame", "Assessment"
    parts = (Part.TIME_FRAME, Part.BREACH_TIME)
    form = TimesForm

    def state(self, form: PartForm, rows: tuple[Any, ...]) -> dict[str, Any]:
        return {"time_frame": form.stated()}

    def given(self, content: RequestContent) -> Given:
        return Given(write_frame(content.time_frame))


def write_frame(frame: TimeFrame | None) -> Answers:
    if frame is None:
        return {}
    return moments.write_moment("start", frame.start) | moments.write_moment("end", frame.end)
