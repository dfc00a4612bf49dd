"""What an address asks of a report: the days, and which rows of them. Nothing in it names a patient."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlencode

from bars_portal.nhsuk.forms import DateField, NHSForm
from bars_portal.reports.counting import MOST_DAYS, Period
from bars_portal.reports.definitions import Report

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


class DaysForm(NHSForm):
    first = DateField(label="From", hint="For example, 1 11 2026", missing="Enter the first day")
    last = DateField(label="To", hint="The last day", missing="Enter the last day")

    def clean(self) -> dict[str, Any]:
        super().clean()
        told = dict(self.cleaned_data)
        first, last = told.get("first"), told.get("last")
        if first and last and last < first:
            self.add_error("last", "The last day must not be before the first")
        elif first and last and (last - first).days >= MOST_DAYS:
            self.add_error("last", f"Choose {MOST_DAYS} days at most")
        return told

    def period(self) -> Period:
        """Of a valid form."""
        return Period(self.cleaned_data["first"], self.cleaned_data["last"])
