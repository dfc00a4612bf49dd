"""What a service said of itself and then said no more, for the clinician who looks for it."""

from collections.abc import Iterator
from datetime import datetime

from bars_portal.nhsuk.dates import format_datetime
from directory.change_words import clinician_words
from directory.engaging import why_no_booking
from directory.models import HealthcareService
from directory.selectors import capability_of, changes_of, last_stated
from directory.stated import Difference, Stated


def no_longer(service: HealthcareService) -> tuple[str, ...]:
    """ "Stopped accepting requests for Clinical assessment, sent by 999, since 21 November 2026 18:04."

    Only what the directory still names for it, and what it has not taken up again; each once.
    """
    now = last_stated(service)
    told: dict[str, str] = {}
    for noticed_at, found in changes_of(service):
        for words in clinician_words(_still(found, now), service.accepted_use_cases):
            told.setdefault(words, f"{words}, since {format_datetime(noticed_at)}.")
    return tuple(told.values())


def obstacle_to_booking(service: HealthcareService, *, now: datetime) -> str:
    """By its own word, as far as that is known without asking; "" for none."""
    return why_no_booking(service, capability_of(service, now=now))


def _still(found: Difference, now: Stated) -> Difference:
    return Difference(
        {}, {each: list(_missing(codes, now.get(each, []))) for each, codes in found.removed.items()}
    )


def _missing(codes: list[str], now: list[str]) -> Iterator[str]:
    return (each for each in codes if each not in now)
