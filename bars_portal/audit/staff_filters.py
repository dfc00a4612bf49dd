"""Filters of the staff pages: by days on a London clock, and by whether something was done."""

from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime, time, timedelta
from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest
from django.utils import timezone

from bars_portal.nhsuk.dates import LONDON, in_london


class DaysFilter(admin.DateFieldListFilter):
    """By days on a London clock, also those to come: for appointments, deadlines and what ends."""

    spans: ClassVar[Mapping[str, Callable[[date], tuple[date, date]]]] = {
        "Today": lambda day: (day, day + timedelta(days=1)),
        "Tomorrow": lambda day: (day + timedelta(days=1), day + timedelta(days=2)),
        "This week": lambda day: (_monday(day), _monday(day) + timedelta(days=7)),
        "Next 7 days": lambda day: (day, day + timedelta(days=7)),
        "Next week": lambda day: (_monday(day) + timedelta(days=7), _monday(day) + timedelta(days=14)),
        "Past 7 days": lambda day: (day - timedelta(days=7), day + timedelta(days=1)),
    }

    def __init__(
        self,
        field: Any,
        request: HttpRequest,
        params: Any,
        model: type[Model],
        model_admin: Any,
        field_path: str,
    ) -> None:
        super().__init__(field, request, params, model, model_admin, field_path)
        # As the page calls it: "Made" and not "created at".
        told = str(model_admin.labels.get(field_path, self.title))
        self.title = f"{told[:1].lower()}{told[1:]}"
        today = in_london(timezone.now()).date()
        any_date, *own = self.links
        self.links = (
            any_date,
            *((words, self._between(*span(today))) for words, span in self.spans.items()),
            # With and without a date, where there may be none.
            *(link for link in own if set(link[1]) == {f"{self.field_generic}isnull"}),
        )

    def _between(self, first: date, end: date) -> dict[str, Any]:
        return {self.lookup_kwarg_since: _midnight(first), self.lookup_kwarg_until: _midnight(end)}


class DoneFilter(admin.EmptyFieldListFilter):
    """By whether something was done, of a moment that is empty until then."""

    def __init__(
        self,
        field: Any,
        request: HttpRequest,
        params: Any,
        model: type[Model],
        model_admin: Any,
        field_path: str,
    ) -> None:
        super().__init__(field, request, params, model, model_admin, field_path)
        self.title = str(model_admin.labels.get(field_path, self.title))

    def choices(self, changelist: Any) -> Iterator[Any]:
        """Django's own are "Empty" and "Not empty"."""
        for words, each in zip(("All", "No", "Yes"), super().choices(changelist), strict=True):
            yield {**each, "display": words}


class PastDaysFilter(DaysFilter):
    """By days that were: for what came, went or was made."""

    spans = {
        "Today": lambda day: (day, day + timedelta(days=1)),
        "Yesterday": lambda day: (day - timedelta(days=1), day),
        "This week": lambda day: (_monday(day), _monday(day) + timedelta(days=7)),
        "Past 7 days": lambda day: (day - timedelta(days=7), day + timedelta(days=1)),
        "Past 28 days": lambda day: (day - timedelta(days=28), day + timedelta(days=1)),
    }


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time.min, tzinfo=LONDON)
