"""What a list of the staff area offers beside its rows: filters, and acts on many rows at once.

Days are those of a London clock. Before many rows are changed, the page shows what will become of each, and
asks for a yes to just that.
"""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime, time, timedelta
from functools import wraps
from typing import Any, ClassVar

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone

from bars_portal.audit.staff_pages import StaffAdmin
from bars_portal.nhsuk.dates import LONDON, in_london

# -- filters


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


# -- acts on many rows

Act = Callable[[Any, HttpRequest, QuerySet[Any]], HttpResponse | None]
# More are not read on one page before somebody says yes.
MOST_AT_ONCE, _MOST_SHOWN = 500, 100


def confirmed(does: Callable[[Any, HttpRequest, Any], str]) -> Callable[[Act], Act]:
    """An action that first shows what will become of each chosen row, and waits for a yes.

    `does` says that of one row in words, such as "Blocked" or "Stays booked". Where it says something else
    when the yes comes, nothing is done and the page is shown anew.
    """

    def asking(act: Act) -> Act:
        @wraps(act)
        def asked(page: Any, request: HttpRequest, chosen: QuerySet[Any]) -> HttpResponse | None:
            rows = list(chosen[: MOST_AT_ONCE + 1])
            if not rows:
                messages.warning(request, "Nothing was changed: what you chose is not there any more.")
                return None
            if len(rows) > MOST_AT_ONCE:
                words = f"Choose at most {MOST_AT_ONCE} at a time. Nothing was changed."
                messages.error(request, words)
                return None
            told = [(row, does(page, request, row)) for row in rows]
            seal = hashlib.sha256(repr([(str(row.pk), words) for row, words in told]).encode()).hexdigest()
            if request.POST.get("confirmed") == seal:
                return act(page, request, chosen.filter(pk__in=[row.pk for row in rows]))
            return _ask(page, request, told, seal)

        return asked

    return asking


def _ask(page: StaffAdmin, request: HttpRequest, told: list[tuple[Any, str]], seal: str) -> HttpResponse:
    name = request.POST.getlist("action")[_button_of(request)]
    actions: dict[str, Any] = page.get_actions(request)
    if "confirmed" in request.POST:
        messages.warning(request, "Something changed since you looked. Nothing is done yet: look again.")
    context = {
        **page.admin_site.each_context(request),
        "title": actions[name][2],
        "opts": page.opts,
        "list_title": page.list_title,
        "action": name,
        "rows": [(page.named(row), words) for row, words in told[:_MOST_SHOWN]],
        "more": len(told[_MOST_SHOWN:]),
        "counts": Counter(words for _, words in told).most_common(),
        "all_of_them": request.POST.get("select_across", "0"),
        "keys": [row.pk for row, _ in told],
        "checkbox": ACTION_CHECKBOX_NAME,
        "seal": seal,
        "here": request.get_full_path(),
    }
    return TemplateResponse(request, "admin/confirm_action.html", context, using="django")


def _button_of(request: HttpRequest) -> int:
    """Which of the page's action forms was sent: there may be one above and one below the list."""
    try:
        number = int(request.POST.get("index", 0))
    except ValueError:
        return 0
    return number if 0 <= number < len(request.POST.getlist("action")) else 0
