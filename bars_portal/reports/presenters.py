"""Reports as pages and files show them."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from heapq import nlargest
from typing import Any

from django.urls import reverse
from markupsafe import Markup

from bars_portal.accounts.acting import Acting
from bars_portal.nhsuk.dates import format_date
from bars_portal.reports.charts import bars_by_key, bars_by_time
from bars_portal.reports.counting import Counts, Line, Period, Question
from bars_portal.reports.definitions import Dimension, Kind, Report, measure_in_words, moment_in_words

# The dimension that every report has, and that no address chooses: its numbers lead to other days.
TIME = "time"
# More nobody reads on a page; the file of a table has all.
MOST_ROWS = 100
_STEPS = {"day": "By day", "week": "By week", "month": "By month"}


@dataclass(frozen=True)
class Number:
    """`href` is "" where there is nothing to list; `about` tells its link from the others."""

    count: int
    href: str
    about: str


@dataclass(frozen=True)
class TableRow:
    words: str
    numbers: tuple[Number, ...]
    change: str
    measured: tuple[str, ...]
    line: Line


@dataclass(frozen=True)
class Section:
    """A chart with its table. `heads` are the columns behind the first, numbers then words.

    `left_out`: how many rows are in the file alone.
    """

    name: str
    title: str
    first_head: str
    heads: tuple[str, ...]
    rows: list[TableRow]
    chart: Markup
    file: str
    left_out: int = 0


def list_address(report: Report, question: Question) -> str:
    return f"{reverse('reports:list', args=[report.name])}?{question.query}"


def report_address(report: Report, question: Question) -> str:
    return f"{reverse('reports:report', args=[report.name])}?{question.query}"


def days_in_words(period: Period) -> str:
    if period.days == 1:
        return format_date(period.first)
    return f"{format_date(period.first)} to {format_date(period.last)}"


def number(report: Report, question: Question, count: int, about: str) -> Number:
    return Number(count, list_address(report, question) if count else "", about)


def change_in_words(now: int, before: int) -> str:
    """ "+3", "0", and with a true minus sign "-2"."""
    difference = now - before
    return f"+{difference:,}" if difference > 0 else f"\N{MINUS SIGN}{-difference:,}" if difference else "0"


def sections(report: Report, question: Question, now: Counts, before: Counts) -> list[Section]:
    """By time first, then every dimension that is not chosen; as much of each as a page shows."""
    cut = [each for each in report.dimensions if each.name not in question.chosen]
    by_keys = [by_key(report, question, each, now, before, most=MOST_ROWS) for each in cut]
    return [by_time(report, question, now), *by_keys]


def by_time(report: Report, question: Question, counts: Counts) -> Section:
    period = question.period
    parts = period.parts()
    by_first = {period.part_from(start).first: line for start, line in counts.by_time.items()}
    lines = [by_first.get(part.first, _none(report)) for part in parts]
    rows = [
        TableRow(
            days_in_words(part),
            (number(report, question.on(part), line.count, days_in_words(part)),),
            "",
            _measured(report, line),
            line,
        )
        for part, line in zip(parts, lines, strict=True)
    ]
    title = _STEPS[period.step]
    labels = [_short_day(part.first, period.step) for part in parts]
    series = [(report.counted[1].capitalize(), [line.count for line in lines])]
    chart = bars_by_time(f"{report.title}: {title.lower()}", labels, series, named=f"chart-{TIME}")
    heads = (report.counted[1].capitalize(), *(each.title for each in report.measures))
    return Section(TIME, title, "Days", heads, rows, chart, _file(report, question, TIME))


def by_key(
    report: Report,
    question: Question,
    dimension: Dimension,
    now: Counts,
    before: Counts,
    *,
    most: int | None = None,
) -> Section:
    """`most`: as many rows, the most frequent ones; None: all of them."""
    lines, earlier = now.by[dimension.name], before.by[dimension.name]
    every: Collection[str] = {*lines, *earlier}
    shown = every if most is None else nlargest(most, every, lambda key: _frequency(lines, earlier, key))
    words = dimension.words(shown)
    natural = {key: place for place, key in enumerate(dimension.order)}
    keys = sorted(shown, key=lambda key: _place(natural, lines, words, key))
    rows = []
    for key in keys:
        line, old = lines.get(key, _none(report)), earlier.get(key, _none(report))
        asked = question.about(dimension.name, key)
        said = in_words(words, key)
        told = (
            number(report, asked, line.count, f"{said}, this period"),
            number(report, asked.on(question.period.before), old.count, f"{said}, the period before"),
        )
        change = change_in_words(line.count, old.count)
        rows.append(TableRow(said, told, change, _measured(report, line), line))
    series = [("This period", [each.numbers[0].count for each in rows])]
    series.append(("The period before", [each.numbers[1].count for each in rows]))
    title = f"By {dimension.title[0].lower()}{dimension.title[1:]}"
    if dimension.title.startswith("HTTP"):
        title = f"By {dimension.title}"
    chart = bars_by_key(
        f"{report.title}: {title[0].lower()}{title[1:]}",
        [each.words for each in rows],
        series,
        named=f"chart-{dimension.name}",
    )
    heads = ("This period", "Before", "Change", *(each.title for each in report.measures))
    file = _file(report, question, dimension.name)
    left_out = len(every) - len(rows)
    return Section(dimension.name, title, dimension.title, heads, rows, chart, file, left_out)


def in_words(words: Mapping[str, str], key: str) -> str:
    return words.get(key) or ("Not stated" if key == "none" else key)


def _frequency(lines: Mapping[str, Line], earlier: Mapping[str, Line], key: str) -> tuple[int, int, str]:
    now, before = (each[key].count if key in each else 0 for each in (lines, earlier))
    return now, before, key


def _place(natural: Mapping[str, int], lines: Mapping[str, Line], words: Mapping[str, str], key: str) -> Any:
    """Natural order where there is one, else the most frequent first."""
    if natural:
        return (natural.get(key, len(natural)), 0, in_words(words, key))
    return (0, -lines[key].count if key in lines else 0, in_words(words, key))


def _none(report: Report) -> Line:
    return Line("", 0, (None,) * len(report.measures))


def _measured(report: Report, line: Line) -> tuple[str, ...]:
    return tuple(measure_in_words(*each) for each in zip(report.measures, line.measured, strict=True))


def _short_day(day: date, step: str) -> str:
    return f"{day:%b} {day.year}" if step == "month" else f"{day.day} {day:%b}"


def _file(report: Report, question: Question, name: str) -> str:
    return f"{reverse('reports:file', args=[report.name, name])}?{question.query}"


def file_columns(report: Report, section: Section) -> tuple[str, ...]:
    """A spreadsheet reckons with numbers: no change, and measures as they are."""
    measures = (f"{each.title} ({_UNITS[each.kind]})" for each in report.measures)
    return (section.first_head, *section.heads[: 1 if section.name == TIME else 2], *measures)


_UNITS = {Kind.SHARE: "share", Kind.HALF: "seconds", Kind.NINE_IN_TEN: "seconds"}


def file_lines(section: Section) -> Iterator[tuple[str, ...]]:
    """Cells as `file_columns` names them."""
    for row in section.rows:
        measured = ("" if each is None else f"{each:.4f}" for each in row.line.measured)
        yield (row.words, *(str(each.count) for each in row.numbers), *measured)


# -- the lists behind the numbers


@dataclass(frozen=True)
class Chosen:
    """One condition of a list, and the same question without it."""

    title: str
    words: str
    without: str


def chosen_in_words(report: Report, question: Question) -> list[Chosen]:
    told = []
    for each in report.dimensions:
        if each.name in question.chosen:
            key = question.chosen[each.name]
            words = in_words(each.words([key]), key)
            told.append(Chosen(each.title, words, report_address(report, question.without(each.name))))
    return told


def list_columns(report: Report) -> tuple[str, ...]:
    named = (report.named,) if report.named else ()
    return (report.when, *named, *(each.title for each in report.dimensions))


def list_lines(report: Report, rows: Iterable[Mapping[str, Any]]) -> Iterator[tuple[str, ...]]:
    """Cells as `list_columns` names them. Words are looked up once a key, so that millions can pass."""
    known: dict[str, dict[str, str]] = {each.name: {} for each in report.dimensions}
    for row in rows:
        cells = [moment_in_words(row[report.time])]
        if report.named:
            cells.append(row["name"] or "None yet")
        for each in report.dimensions:
            words, key = known[each.name], row[each.column]
            if key not in words:
                words[key] = in_words(each.words([key]), key)
            cells.append(words[key])
        yield tuple(cells)


def list_pages(report: Report, rows: Iterable[Mapping[str, Any]], acting: Acting) -> Iterator[str]:
    """The address of each row's own page, "" where this person may not open it or there is none."""
    for row in rows:
        yield report.page_of(acting, row) if report.page_of else ""
