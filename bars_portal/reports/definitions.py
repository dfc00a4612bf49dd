"""What a report is made of: the rows that it counts, the ways to cut them, and what is measured of them.

A report is a query of one organisation's rows. Each row has one text, never null, for each dimension, so that
the numbers of any dimension add up to the total; a list behind a number is the same query with one more
condition.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from django.db.models import Case, CharField, F, QuerySet, Value, When
from django.db.models.expressions import Combinable
from django.db.models.functions import Cast, Coalesce, NullIf

from bars_portal.accounts.acting import Acting
from bars_portal.accounts.models import Organisation
from bars_portal.nhsuk.dates import format_datetime

# Stands for nothing in an address and in SQL, so that a key is never empty.
NOTHING = "none"
# Reports of what people did, and of how messages went.
VIEW_ACTIVITY = "reports.view_activity"
VIEW_EXCHANGE = "reports.view_exchange"

Words = Callable[[Iterable[str]], Mapping[str, str]]
# The pk, the direction ("" where there is none) of a row, and who looks -> the address of its page, or "".
PageOf = Callable[[Acting, Mapping[str, Any]], str]


@dataclass(frozen=True)
class Dimension:
    """One way to cut a report; keys without words read as they are.

    `order`: keys in their natural order; without one the most frequent come first. `of`: the column of the
    rows, or a text of them that is never null; "" for the column of its name. `made_of`: what `as_key` made
    that text of.
    """

    name: str
    title: str
    words: Words
    order: Sequence[str] = ()
    of: str | Combinable = ""
    made_of: Combinable | None = None

    @property
    def column(self) -> str:
        return f"by_{self.name}"

    @property
    def key(self) -> Combinable:
        return as_key(self.of or self.name) if isinstance(self.of, str) else self.of

    @property
    def plain(self) -> Combinable:
        """What keys are made of: as it is, it is gathered in half the time that a text takes."""
        return self.made_of or (F(self.of or self.name) if isinstance(self.of, str) else self.of)


class Kind(StrEnum):
    """How one figure is made of many: the share of some rows, or the value that half (nine in ten) of them do
    not exceed. Null counts as not there.
    """

    SHARE = "share"
    HALF = "0.5"
    NINE_IN_TEN = "0.9"


@dataclass(frozen=True)
class Measure:
    """`column`: an annotation of the rows in seconds. Of a share the column of a dimension, as `by_<name>`:
    rows with one of the keys `ones`, of those and the ones with one of `zeros`.
    """

    title: str
    column: str
    kind: Kind
    ones: tuple[str, ...] = ()
    zeros: tuple[str, ...] = ()

    @property
    def ranked(self) -> str:
        """The column whose values it needs in their order; "" for a share."""
        return "" if self.kind is Kind.SHARE else self.column

    @property
    def figure(self) -> str:
        """As SQL: a share over the columns of the rows, else over `ranked`, the array of their values.

        Between two of them it lies as far as the rank does. The keys are ours.
        """
        if self.kind is not Kind.SHARE:
            rank = f"({self.kind.value} * (cardinality(ranked) - 1))"
            below, above = (f"ranked[1 + {way}({rank})::int]" for way in ("floor", "ceil"))
            return f"{below} + ({rank} - floor({rank})) * ({above} - {below})"
        ones, zeros = (", ".join(f"'{key}'" for key in keys) for keys in (self.ones, self.zeros))
        found = f"COALESCE(sum(alike) FILTER (WHERE {self.column} IN ({ones})), 0)::float8"
        return f"{found} / sum(alike) FILTER (WHERE {self.column} IN ({ones}, {zeros}))"


@dataclass(frozen=True)
class Report:
    """`rows`: all of an organisation, with what dimensions and measures are made of; `time` is the column by
    which a period chooses, and that the lists show and sort by. `counted`: what one row is, in the singular
    and in the plural.
    """

    name: str
    title: str
    text: str
    permission: str
    counted: tuple[str, str]
    rows: Callable[[Organisation, datetime], QuerySet[Any]]
    time: str
    dimensions: tuple[Dimension, ...]
    measures: tuple[Measure, ...] = ()
    # What the period is about, as a heading of the lists: "Booked", "Appointment".
    when: str = "When"
    # A name of the row that is no patient's, as a heading, and its column.
    named: str = ""
    named_by: str = "reference"
    # The address of a row's page is made of its pk and of this column of it, as `way`.
    page_of: PageOf | None = None
    way: str = "direction"
    # Also days to come.
    looks_ahead: bool = False

    def dimension(self, name: str) -> Dimension | None:
        return next((each for each in self.dimensions if each.name == name), None)

    def keyed_rows(self, organisation: Organisation, now: datetime) -> QuerySet[Any]:
        """The rows with the key of each dimension, and what lists show beside them."""
        beside = {"name": F(self.named_by)} if self.named else {}
        beside |= {"way": F(self.way)} if self.page_of else {}
        keys = {each.column: each.key for each in self.dimensions}
        rows: QuerySet[Any] = self.rows(organisation, now).annotate(**keys, **beside)
        return rows

    def counted_rows(self, organisation: Organisation, now: datetime, chosen: Iterable[str]) -> QuerySet[Any]:
        """The same to be counted: keys are made of what they are gathered by, but those that choose rows."""
        keys = {each.column: each.key if each.name in chosen else each.plain for each in self.dimensions}
        rows: QuerySet[Any] = self.rows(organisation, now).annotate(**keys)
        return rows


def fixed(words: Mapping[str, str]) -> Words:
    """The same words whatever is asked."""
    return lambda keys: words


def key_of(value: Any) -> str:
    """What `as_key` makes in SQL."""
    return NOTHING if value is None or value == "" else str(value)


def as_key(expression: Combinable | str) -> Combinable:
    """A text that is never null and never empty."""
    text = Cast(F(expression) if isinstance(expression, str) else expression, CharField())
    return Coalesce(NullIf(text, Value("")), Value(NOTHING), output_field=CharField())


def banded(
    name: str, title: str, column: str, bands: Sequence[tuple[str, Any, str]], *, otherwise: str = ""
) -> Dimension:
    """By the first band (key, end, words) whose end, as the column has it, is above the value.

    Best is a column that costs nothing to compare: it is worked out for each band. `otherwise`: of rows
    without a value, where there are such.
    """
    whens = [When(**{f"{column}__lt": end}, then=Value(key)) for key, end, _ in bands]
    of = Case(*whens, default=Value(NOTHING), output_field=CharField())
    words = {key: told for key, _, told in bands} | ({NOTHING: otherwise} if otherwise else {})
    return Dimension(name, title, fixed(words), tuple(words), of)


def seconds_in_words(seconds: float) -> str:
    """ "850 ms", "12.5 s", "9 min", "3 h 05 min", "2 days 4 h": as much as one needs to compare."""
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h {minutes:02d} min"
    days, hours = divmod(hours, 24)
    return f"{days} days {hours} h"


def measure_in_words(measure: Measure, value: float | None) -> str:
    """ "-" stands for nothing to measure."""
    if value is None:
        return "-"
    return f"{value:.1%}".replace("%", " %") if measure.kind is Kind.SHARE else seconds_in_words(value)


def moment_in_words(moment: datetime | None) -> str:
    return format_datetime(moment) if moment else ""
