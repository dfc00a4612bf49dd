"""Bank holidays in England."""

from datetime import date
from functools import cache

import holidays


def bank_holiday(day: date) -> str:
    """Its name, or "" for a day like others."""
    return _of_year(day.year).get(day, "")


@cache
def _of_year(year: int) -> dict[date, str]:
    return dict(holidays.country_holidays("GB", subdiv="ENG", years=year))
