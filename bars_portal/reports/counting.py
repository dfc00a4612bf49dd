"""What a report is asked, the numbers that answer it, and the lists behind them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple, Self
from urllib.parse import urlencode

from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import EmptyResultSet
from django.db import connection, transaction
from django.db.models import DateTimeField, F, Func, IntegerField, QuerySet, Value

from bars_portal.accounts.models import Organisation
from bars_portal.nhsuk.dates import london_midnight
from bars_portal.reports.activity import APPOINTMENTS, BOOKINGS, REFERRALS, SLOTS, VALIDATIONS
from bars_portal.reports.definitions import Report, key_of
from bars_portal.reports.exchange import CALLS, FAILURES, RECEIVED, SENT

REPORTS = (
    *(BOOKINGS, REFERRALS, VALIDATIONS, APPOINTMENTS, SLOTS),
    *(SENT, FAILURES, CALLS, RECEIVED),
)
# A year and the day on which it began.
MOST_DAYS = 366
_SORTED_IN = "64MB"
_FETCHED = 2000
# One key for all rows: hashed as any other, where the empty set would be sorted for.
_ALL = "every"


class Period(NamedTuple):
    """London days, both included."""

    first: date
    last: date

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1

    @property
    def before(self) -> "Period":
        """As long, and over when this one begins."""
        return Period(self.first - timedelta(days=self.days), self.first - timedelta(days=1))

    @property
    def step(self) -> str:
        """What a chart by time counts together, so that it can be read."""
        return "day" if self.days <= 62 else "week" if self.days <= 190 else "month"

    def part_from(self, start: date) -> "Period":
        """The part that belongs to the step which begins at `start`."""
        if self.step == "day":
            following = start + timedelta(days=1)
        elif self.step == "week":
            following = start + timedelta(days=7)
        else:
            following = (start.replace(day=1) + timedelta(days=32)).replace(day=1)
        return Period(max(start, self.first), min(following - timedelta(days=1), self.last))

    def parts(self) -> list[Self]:
        """All of them in order."""
        found, start = [], self.first
        while start <= self.last:
            whole = self.part_from(_beginning(start, self.step))
            found.append(type(self)(start, whole.last))
            start = whole.last + timedelta(days=1)
        return found


def _beginning(day: date, step: str) -> date:
    if step == "week":
        return day - timedelta(days=day.weekday())
    return day.replace(day=1) if step == "month" else day


# -- what an address asks of a report: the days, and which rows of them; nothing in it names a patient

_LONGEST_KEY = 120


class UnknownQuestion(ValueError):
    """An address that no page of ours writes."""


class UnknownDays(UnknownQuestion):
    """Its days are none, or too many: somebody wrote them."""


@dataclass(frozen=True)
class Question:
    """`chosen`: keys by name of the dimension."""

    period: Period
    chosen: Mapping[str, str]

    @property
    def query(self) -> str:
        days = {"from": self.period.first.isoformat(), "to": self.period.last.isoformat()}
        return urlencode({**days, **self.chosen})

    def about(self, name: str, key: str) -> "Question":
        return replace(self, chosen={**self.chosen, name: key})

    def without(self, name: str) -> "Question":
        return replace(self, chosen={each: key for each, key in self.chosen.items() if each != name})

    def on(self, period: Period) -> "Question":
        return replace(self, period=period)


def read_question(report: Report | None, asked: Mapping[str, str], *, today: date) -> Question:
    """Without days: the last 28. Raises UnknownQuestion."""
    names = [each.name for each in report.dimensions] if report else []
    chosen = {name: asked[name] for name in names if asked.get(name)}
    if any(len(key) > _LONGEST_KEY or "\0" in key for key in chosen.values()):
        raise UnknownQuestion
    if not (asked.get("from") or asked.get("to")):
        return Question(usual(today), chosen)
    try:
        period = Period(date.fromisoformat(asked["from"]), date.fromisoformat(asked["to"]))
    except (KeyError, ValueError):
        raise UnknownDays from None
    if not (1 <= period.days <= MOST_DAYS and period.first.year > 1900 and period.last.year < 2200):
        raise UnknownDays
    return Question(period, chosen)


def days_asked(asked: Mapping[str, str]) -> dict[str, str]:
    """The days of an address as somebody would type them into DaysForm, sensible or not."""
    found: dict[str, str] = {}
    for name, text in (("first", asked.get("from", "")), ("last", asked.get("to", ""))):
        parts = text.split("-")
        # What is no date at all stands where the day does.
        year, month, day = parts if len(parts) == 3 else ("", "", text)
        found |= {f"{name}-year": year, f"{name}-month": month, f"{name}-day": day}
    return found


def usual(today: date) -> Period:
    return Period(today - timedelta(days=27), today)


def presets(today: date, *, ahead: bool) -> list[tuple[str, Period]]:
    """Words and days. `ahead`: days to come too."""
    this_month = today.replace(day=1)
    last_month = this_month - timedelta(days=1)
    found = [
        ("Today", Period(today, today)),
        ("Last 7 days", Period(today - timedelta(days=6), today)),
        ("Last 28 days", usual(today)),
        ("This month", Period(this_month, today)),
        ("Last month", Period(last_month.replace(day=1), last_month)),
        ("Last 365 days", Period(today - timedelta(days=364), today)),
    ]
    coming = [
        ("Next 7 days", Period(today, today + timedelta(days=6))),
        ("Next 28 days", Period(today, today + timedelta(days=27))),
    ]
    return [*found, *(coming if ahead else [])]


# -- the numbers, and the lists behind them: one query, with one more condition for a list


@dataclass(frozen=True)
class Line:
    """How many rows have a key, and the report's measures of them, in its order."""

    key: str
    count: int
    measured: tuple[float | None, ...]


@dataclass(frozen=True)
class Counts:
    """`by_time` by the first day of each part of the period that has any; `by` by name of the dimension."""

    total: Line
    by_time: dict[date, Line]
    by: dict[str, dict[str, Line]]


def chosen_rows(
    report: Report,
    organisation: Organisation,
    period: Period,
    chosen: Mapping[str, str],
    *,
    now: datetime,
) -> QuerySet[Any]:
    """The rows of a period that have these keys, by name of the dimension."""
    return _of_period(report.keyed_rows(organisation, now), report, period, chosen)


def number_of_rows(
    report: Report,
    organisation: Organisation,
    period: Period,
    chosen: Mapping[str, str],
    *,
    now: datetime,
) -> int:
    """How many they are: of keys, only those that choose are made."""
    keys = {each.column: each.key for each in report.dimensions if each.name in chosen}
    return _of_period(report.rows(organisation, now).annotate(**keys), report, period, chosen).count()


def _of_period(
    rows: QuerySet[Any], report: Report, period: Period, chosen: Mapping[str, str]
) -> QuerySet[Any]:
    wanted = {each.column: chosen[each.name] for each in report.dimensions if each.name in chosen}
    return rows.filter(
        **wanted,
        **{
            f"{report.time}__gte": london_midnight(period.first),
            f"{report.time}__lt": london_midnight(period.last + timedelta(days=1)),
        },
    )


def count(
    report: Report,
    organisation: Organisation,
    period: Period,
    chosen: Mapping[str, str],
    *,
    now: datetime,
) -> Counts:
    """All numbers of a report by one statement, so that they add up whatever happens meanwhile."""
    cuts = [each.column for each in report.dimensions]
    rows = _of_period(report.counted_rows(organisation, now, chosen), report, period, chosen)
    rows = rows.annotate(began=_part_of(period, report.time)).order_by()
    columns = list(dict.fromkeys(["began", *cuts, *(each.column for each in report.measures)]))
    kept = ["began", *cuts]
    try:
        inner, values = rows.values(*columns).query.sql_with_params()
    except EmptyResultSet:
        # An organisation without services: Django sees that nothing can be found.
        return _sorted_out(report, period, kept, [])
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL work_mem = '{_SORTED_IN}'")
        # Each set is hashed: sorted for each, a million rows would take three times as long, and an array
        # would lose the order in which it was gathered.
        cursor.execute("SET LOCAL enable_sort = off")
        cursor.execute(_statement(report, kept, inner), values)
        answer = cursor.fetchall()
    return _sorted_out(report, period, kept, answer)


def _part_of(period: Period, time: str) -> Func:
    """The number of the part of the period, from 1: by their beginnings, without a calendar for each row."""
    firsts = [london_midnight(each.first) for each in period.parts()]
    among = Value(firsts, output_field=ArrayField(DateTimeField()))
    return Func(F(time), among, function="width_bucket", output_field=IntegerField())


def _statement(report: Report, kept: list[str], inner: str) -> str:
    """One line for each key of each column, and one for all; the names are ours, the values stand beside."""
    gathered = {each.ranked for each in report.measures if each.ranked}
    if len(gathered) > 1:
        raise TypeError("Rows can be in the order of one column only.")
    # Both keep the planner from guessing that there are as many keys as rows, which it would not hash.
    fence = f"ORDER BY {', '.join(gathered)}" if gathered else "OFFSET 0"
    rows = f"SELECT *, 1 AS alike FROM ({inner}) AS chosen"  # noqa: S608 - names are ours
    if not gathered:
        # What is alike in all columns is counted first: each set then passes few of them.
        by = ", ".join(kept)
        rows = f"SELECT {by}, count(*) AS alike FROM ({inner}) AS chosen GROUP BY {by}"  # noqa: S608 - names are ours
    asked = [*kept, f"GROUPING({', '.join(kept)}) AS bits", "sum(alike)::bigint AS number"]
    asked += [f"array_agg({each}) FILTER (WHERE {each} IS NOT NULL) AS ranked" for each in gathered]
    asked += [f"{each.figure} AS share_{at}" for at, each in enumerate(report.measures) if not each.ranked]
    told = [each.figure if each.ranked else f"share_{at}" for at, each in enumerate(report.measures)]
    sets = ", ".join(f"({each})" for each in [*kept, _ALL])
    found = f"(SELECT *, 1 AS {_ALL} FROM ({rows}) AS counted {fence}) AS found"  # noqa: S608 - names are ours
    lines = f"(SELECT {', '.join(asked)} FROM {found} GROUP BY GROUPING SETS ({sets})) AS lines"  # noqa: S608 - names are ours
    return f"SELECT {', '.join([*kept, 'bits', 'number', *told])} FROM {lines}"  # noqa: S608 - names are ours


def _sorted_out(report: Report, period: Period, kept: list[str], answer: list[tuple[Any, ...]]) -> Counts:
    total = Line("", 0, (None,) * len(report.measures))
    by_time: dict[date, Line] = {}
    by: dict[str, dict[str, Line]] = {each.name: {} for each in report.dimensions}
    names = dict(zip((each.column for each in report.dimensions), by, strict=True))
    parts = period.parts()
    for row in answer:
        keys, (bits, number, *measured) = row[: len(kept)], row[len(kept) :]
        figures = tuple(None if each is None else float(each) for each in measured)
        # A bit for each column, the first one highest; 0 says that the row is of this column.
        place = next((at for at in range(len(kept)) if not bits >> (len(kept) - 1 - at) & 1), None)
        if place is None:
            total = Line("", number, figures)
        elif place == 0:
            day = parts[keys[0] - 1].first
            by_time[day] = Line(day.isoformat(), number, figures)
        else:
            key = key_of(keys[place])
            by[names[kept[place]]][key] = Line(key, number, figures)
    return Counts(total, by_time, by)


def listed(rows: QuerySet[Any], report: Report) -> QuerySet[Any]:
    """What a list shows of each row, as dicts, the newest first."""
    columns = [each.column for each in report.dimensions]
    extra = [*(["name"] if report.named else []), *(["way"] if report.page_of else [])]
    order = (f"-{report.time}", "-pk")
    return rows.order_by(*order).values("pk", report.time, *extra, *columns)


def fetched(rows: QuerySet[Any]) -> Iterator[Any]:
    """However many, some at a time.

    In a transaction the server reads on as it is asked, and each time has the time of a statement. Outside
    of one it would first write all of them down, in that time.
    """
    with transaction.atomic():
        yield from rows.iterator(chunk_size=_FETCHED)
