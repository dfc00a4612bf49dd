"""What a report is asked, the numbers that answer it, and the lists behind them."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple, Self
from urllib.parse import urlencode

from django.core.exceptions import EmptyResultSet
from django.db import connection, transaction
from django.db.models import DateField, QuerySet
from django.db.models.functions import Trunc

from bars_portal.accounts.models import Organisation
from bars_portal.nhsuk.dates import LONDON, london_midnight
from bars_portal.reports.activity import APPOINTMENTS, BOOKINGS, REFERRALS, SLOTS, VALIDATIONS
from bars_portal.reports.definitions import Report
from bars_portal.reports.exchange import CALLS, FAILURES, RECEIVED, SENT

REPORTS = (
    *(BOOKINGS, REFERRALS, VALIDATIONS, APPOINTMENTS, SLOTS),
    *(SENT, FAILURES, CALLS, RECEIVED),
)
# A year and the day on which it began.
MOST_DAYS = 366
_SORTED_IN = "64MB"


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
        raise UnknownQuestion from None
    if not (1 <= period.days <= MOST_DAYS and period.first.year > 1900 and period.last.year < 2200):
        raise UnknownQuestion
    return Question(period, chosen)


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
    wanted = {each.column: chosen[each.name] for each in report.dimensions if each.name in chosen}
    return report.keyed_rows(organisation, now).filter(
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
    began = Trunc(report.time, period.step, output_field=DateField(), tzinfo=LONDON)
    cuts = [each.column for each in report.dimensions]
    rows = chosen_rows(report, organisation, period, chosen, now=now).annotate(began=began).order_by()
    columns = list(dict.fromkeys(["began", *cuts, *(each.column for each in report.measures)]))
    kept = ["began", *cuts]
    try:
        inner, values = rows.values(*columns).query.sql_with_params()
    except EmptyResultSet:
        # An organisation without services: Django sees that nothing can be found.
        return _sorted_out(report, kept, [])
    asked = [*kept, f"GROUPING({', '.join(kept)})", "count(*)"]
    asked += [each.figure for each in report.measures]
    sets = ", ".join(f"({name})" for name in [*kept, ""])
    # The names are ours, the values beside the statement.
    statement = f"SELECT {', '.join(asked)} FROM ({inner}) AS found GROUP BY GROUPING SETS ({sets})"  # noqa: S608
    with transaction.atomic(), connection.cursor() as cursor:
        # A million rows are sorted for each set: in memory that takes two thirds of the time.
        cursor.execute(f"SET LOCAL work_mem = '{_SORTED_IN}'")
        cursor.execute(statement, values)
        answer = cursor.fetchall()
    return _sorted_out(report, kept, answer)


def _sorted_out(report: Report, kept: list[str], answer: list[tuple[Any, ...]]) -> Counts:
    total = Line("", 0, (None,) * len(report.measures))
    by_time: dict[date, Line] = {}
    by: dict[str, dict[str, Line]] = {each.name: {} for each in report.dimensions}
    names = dict(zip((each.column for each in report.dimensions), by, strict=True))
    for row in answer:
        keys, (bits, number, *measured) = row[: len(kept)], row[len(kept) :]
        figures = tuple(None if each is None else float(each) for each in measured)
        # A bit for each column, the first one highest; 0 says that the row is of this column.
        place = next((at for at in range(len(kept)) if not bits >> (len(kept) - 1 - at) & 1), None)
        if place is None:
            total = Line("", number, figures)
        elif place == 0:
            # The local time at which that day begins.
            day = keys[0].date()
            by_time[day] = Line(day.isoformat(), number, figures)
        else:
            by[names[kept[place]]][keys[place]] = Line(keys[place], number, figures)
    return Counts(total, by_time, by)


def listed(rows: QuerySet[Any], report: Report) -> QuerySet[Any]:
    """What a list shows of each row, as dicts, the newest first."""
    columns = [each.column for each in report.dimensions]
    extra = [*(["name"] if report.named else []), *(["way"] if report.page_of else [])]
    order = (f"-{report.time}", "-pk")
    return rows.order_by(*order).values("pk", report.time, *extra, *columns)
