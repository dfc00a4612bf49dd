"""What comes with the slots of GET /Slot, as JSON: the same from search to search, but for the time."""

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache

from bars_portal.exchange.fhir import json
from bars_portal.exchange.fhir.bundle import found_entry
from bars_portal.exchange.fhir.timestamps import format_london
from bookings.mapping.slots import entries_with_slots
from bookings.rows import DiaryRow
from directory.ports import ServiceFacts

# More of them are written each time anew, so that what is kept stays small.
_MOST_DIARIES = 50
# In winter, so that every form of it is the same. No text can hold its bytes: they have quotes around them.
_NO_TIME = datetime(9999, 1, 1, tzinfo=UTC)


def texts_with_slots(
    diaries: Sequence[DiaryRow], *, facts: ServiceFacts, includes: frozenset[str], now: datetime
) -> bytes:
    """Bundle entries with commas between them, as `entries_with_slots` has them at the moment `now`."""
    write = _kept if len(diaries) <= _MOST_DIARIES else _kept.__wrapped__
    return _stamp(now).join(write(tuple(diaries), facts, includes))


@lru_cache(maxsize=128)
def _kept(diaries: tuple[DiaryRow, ...], facts: ServiceFacts, includes: frozenset[str]) -> tuple[bytes, ...]:
    """Cut where the time belongs. Never stale: it is made from its arguments alone."""
    entries = entries_with_slots(diaries, facts=facts, includes=includes, now=_NO_TIME)
    written = b",".join(json.dumps(found_entry(url, resource, "include")) for url, resource in entries)
    return tuple(written.split(_stamp(_NO_TIME)))


def _stamp(moment: datetime) -> bytes:
    return json.dumps({"lastUpdated": format_london(moment)})[1:-1]
