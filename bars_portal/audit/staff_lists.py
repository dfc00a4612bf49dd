"""The lists of the staff area: filters, days, what a search finds, and acts on many rows at once.

Days are London's. Nothing beside the rows reads all of them. Many rows change after a yes to what is shown.
"""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import date, datetime, time, timedelta
from functools import wraps
from itertools import takewhile
from typing import Any, ClassVar

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.views.main import PAGE_VAR, SEARCH_VAR, ChangeList
from django.core.exceptions import ValidationError
from django.db.models import Exists, Model, OuterRef, Q, QuerySet, Value
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.text import smart_split, unescape_string_literal

from bars_portal.nhsuk.dates import LONDON, in_london
from bars_portal.sql import each_value


class ListedChangeList(ChangeList):
    """Sorts by listed columns only: the page itself would sort by any that an address names."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        page: Any = self.model_admin
        # Django's own says "Select slot to change", whatever the list is for.
        self.title = page.list_title

    def get_queryset(self, request: HttpRequest, exclude_parameters: Any = None) -> QuerySet[Any]:
        """Nothing holds a NUL. Django says so too, but then takes it that nothing was searched for."""
        rows = super().get_queryset(request, exclude_parameters)
        return rows.none() if "\x00" in request.GET.get(SEARCH_VAR, "") else rows

    def get_filters(self, request: HttpRequest) -> Any:
        """Called as the column is: "Made" and not "created at"."""
        page: Any = self.model_admin
        specs, *rest = super().get_filters(request)
        for each in specs:
            each.title = page.labels.get(getattr(each, "field_path", ""), each.title)
        return specs, *rest

    @property
    def calendar(self) -> dict[str, Any]:
        """For admin/date_hierarchy.html: years, months or days from the first row to the last.

        Django itself reads all rows to leave out those that have none.
        """
        name = str(self.date_hierarchy)
        parts = [f"{name}__{part}" for part in ("year", "month", "day")]
        chosen = [int(self.params[each]) for each in takewhile(self.params.__contains__, parts)]

        def link(*numbers: int) -> str:
            return self.get_query_string(dict(zip(parts, numbers, strict=False)), [f"{name}__"])

        if len(chosen) == len(parts):
            day = date(*chosen)
            return {"back": {"link": link(*chosen[:2]), "title": f"{day:%B %Y}"}, "choices": [_told(day, 3)]}
        moments = [self._outermost(name), self._outermost(f"-{name}")]
        first, last = (in_london(each).date() if each else None for each in moments)
        if first is None or last is None:
            return {}
        if not chosen:
            pairs = zip(_parts(first)[:2], _parts(last), strict=False)
            chosen = [one for one, _ in takewhile(lambda pair: pair[0] == pair[1], pairs)]
        depth = len(chosen) + 1
        days = _from_to(first, last, depth)
        choices = [{**_told(each, depth), "link": link(*_parts(each)[:depth])} for each in days]
        return {"back": _back(chosen, link), "choices": choices}

    def _outermost(self, order: str) -> datetime | None:
        moments = self.queryset.order_by(order).values_list(order.removeprefix("-"), flat=True)
        found: datetime | None = moments.first()
        return found

    def get_ordering_field(self, field_name: Any) -> Any:
        return super().get_ordering_field(field_name) if field_name in (self.sortable_by or ()) else None


def _parts(day: date) -> tuple[int, int, int]:
    return day.year, day.month, day.day


def _told(day: date, depth: int) -> dict[str, str]:
    return {"title": (f"{day:%Y}", f"{day:%B %Y}", f"{day.day} {day:%B}")[depth - 1]}


def _back(chosen: list[int], link: Callable[..., str]) -> dict[str, str] | None:
    if not chosen:
        return None
    title = "All dates" if len(chosen) == 1 else str(chosen[0])
    return {"link": link(*chosen[:-1]), "title": title}


def _from_to(first: date, last: date, depth: int) -> Iterator[date]:
    """A day of each year or month, or each day, from one to the other."""
    day = first
    while day <= last:
        yield day
        if depth == 1:
            day = date(day.year + 1, 1, 1)
        elif depth == 2:
            day = (day.replace(day=1) + timedelta(days=32)).replace(day=1)
        else:
            day += timedelta(days=1)


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


class ThereFilter(admin.RelatedFieldListFilter):
    """By the related rows that rows of the list have, for a reference that an index begins with.

    Where those are too many to offer, by what is found of them as it is on their own page.
    """

    template = "admin/there_filter.html"
    most: ClassVar[int] = 100
    many, found = False, 0

    def __init__(
        self, field: Any, request: HttpRequest, params: Any, model: Any, model_admin: Any, field_path: str
    ) -> None:
        self.asked_name = f"{field_path}__asked"
        self.asked = request.GET.get(self.asked_name, "").replace("\x00", "").strip()
        self.kept = [each for each in request.GET.items() if each[0] not in (self.asked_name, PAGE_VAR)]
        self.theirs = model_admin.admin_site.get_model_admin(field.related_model)
        super().__init__(field, request, params, model, model_admin, field_path)
        # It narrows what is offered, and not the list.
        self.used_parameters.pop(self.asked_name, None)

    def expected_parameters(self) -> list[str | None]:
        return [*super().expected_parameters(), self.asked_name]

    def has_output(self) -> bool:
        return self.many or super().has_output()

    def field_choices(self, field: Any, request: HttpRequest, model_admin: Any) -> Any:
        order = self.field_admin_ordering(field, request, model_admin)
        theirs = model_admin.related_rows(request, field.name)
        listed = (
            model_admin.get_queryset(request) if theirs is None else model_admin.model._base_manager.all()
        )
        there = Exists(listed.order_by().filter(**{field.name: OuterRef("pk")}))
        rows = field.related_model._default_manager.filter(there, **(theirs or {}))
        if theirs == {}:
            keys = each_value(model_admin.model, field.name, most=self.most + 1)
        elif theirs is None:
            known = listed.order_by().exclude(**{field.name: None}).values_list(field.attname, flat=True)
            keys = list(known.distinct()[: self.most + 1])
        else:
            keys = list(rows.order_by().values_list("pk", flat=True)[: self.most + 1])
        self.many = len(keys) > self.most
        if self.many:
            keys = self._found(rows.order_by(*order) if order else rows, request)
        return field.get_choices(False, ordering=order, limit_choices_to={"pk__in": keys})

    def _found(self, rows: QuerySet[Any], request: HttpRequest) -> list[Any]:
        """What is chosen, and the first of what was searched for."""
        found: list[Any] = []
        if self.asked:
            wanted = wanted_by(rows.model, self.theirs.get_search_fields(request), self.asked)
            found = list(rows.filter(wanted).values_list("pk", flat=True)[: self.most + 1])
            self.found = len(found)
        with suppress(ValueError, ValidationError):
            found[self.most :] = rows.filter(pk__in=self.lookup_val or []).values_list("pk", flat=True)
        return found


class DoneFilter(admin.EmptyFieldListFilter):
    """By whether something was done, of a moment that is empty until then."""

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


# -- what a search finds

# Of one word: more are not gathered before the rows themselves are read.
_MOST_KEYS = 1000


def of_keys(rows: QuerySet[Any], wanted: Q) -> QuerySet[Any]:
    """The rows that are wanted, by their keys where those are not too many."""
    found = rows.filter(wanted)
    keys = list(found.order_by().values_list("pk", flat=True)[: _MOST_KEYS + 1])
    return found if len(keys) > _MOST_KEYS else rows.filter(pk__in=keys)


def wanted_by(model: type[Model], names: Sequence[str], asked: str) -> Q:
    """Each word of what was asked, in any of these fields: "=name" is all of it, else it is a part."""
    whole = all(name.startswith("=") for name in names)
    # An id with a blank in it is none.
    words = [asked.strip()] if whole else words_of(asked)
    wanted = Q()
    for word in words:
        any_of = Q(pk__in=[])
        for name in names:
            any_of |= _has(model, name, word, kept=whole)
        wanted &= any_of
    return wanted


def words_of(asked: str) -> list[str]:
    """What stands in quotes is one."""
    return [
        unescape_string_literal(each) if each[0] in "\"'" and each[0] == each[-1] else each
        for each in smart_split(asked)
    ]


def _has(model: type[Model], name: str, word: str, *, kept: bool) -> Q:
    path, _, last = name.removeprefix("=").rpartition("__")
    owner = field_at(model, path).related_model if path else model
    field = owner._meta.get_field(last)
    if not name.startswith("="):
        asked = _part(owner, last, word)
    elif kept or not _has_case(word) or field.get_internal_type() == "UUIDField":
        asked = as_kept(field, word)
    else:
        asked = {f"{last}__iexact": word}
    if not path:
        return Q(**asked)
    # Of a related row the key first: joined, it would keep the indexes of the others from use.
    rows = owner._default_manager.filter(**asked).order_by()
    keys = list(rows.values_list("pk", flat=True)[: _MOST_KEYS + 1])
    if len(keys) <= _MOST_KEYS:
        return Q(**{f"{path}__in": keys})
    return Q(**{f"{path}__{lookup}": value for lookup, value in asked.items()})


def as_kept(field: Any, word: str) -> dict[str, Any]:
    """What was typed as the column has it, in either case; nothing when it can be no value of it.

    So an index finds it, where `iexact` would write each value of the table in capitals.
    """
    kept: list[Any] = []
    if field.get_internal_type() == "UUIDField":
        with suppress(ValidationError):
            kept = [field.to_python(word)]
    else:
        kept = sorted({word, word.upper(), word.lower()})
    return {f"{field.name}__in": kept}


def _part(owner: type[Model], name: str, word: str) -> dict[str, Any]:
    """Where a folded name is kept, in that. Capitals cost more than all else, and digits have none."""
    fields: dict[str, Any] = {each.name: each for each in owner._meta.concrete_fields}
    kept = fields.get(f"folded_{name}")
    if kept is not None and kept.generated:
        return {f"{kept.name}__contains": type(kept.expression)(Value(word))}
    return {f"{name}__{'icontains' if _has_case(word) else 'contains'}": word}


def _has_case(word: str) -> bool:
    return word.upper() != word.lower()


def field_at(model: type[Model], path: str) -> Any:
    field: Any = None
    for name in path.split("__"):
        field = model._meta.get_field(name)
        model = field.related_model or model
    return field


# -- acts on many rows

Act = Callable[[Any, HttpRequest, QuerySet[Any]], HttpResponse | None]
# More are not read on one page before somebody says yes.
MOST_AT_ONCE, _MOST_SHOWN = 500, 100
_STAYS = "stays"


def confirmed(does: Callable[[Any, HttpRequest, Any], str]) -> Callable[[Act], Act]:
    """An action that first shows what will become of each chosen row, and waits for a yes.

    `does` says that of one row in words, such as "will be blocked"; of one that stays as it is they begin
    with "stays", and where all do, no yes is offered. Where it says something else when the yes comes,
    nothing is done and the page is shown anew.
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


def _ask(page: Any, request: HttpRequest, told: list[tuple[Any, str]], seal: str) -> HttpResponse:
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
        "changes": not all(words.startswith(_STAYS) for _, words in told),
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
