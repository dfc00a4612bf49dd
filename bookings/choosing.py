"""What people search for and choose: the slots of many services at once, and a chosen time once more."""

import logging
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, TimeoutError, as_completed
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from time import monotonic

from django.db import connection

from bars_portal.exchange.gateway.client import PAGE_SECONDS
from bars_portal.exchange.transport.client import BarsClient
from bars_portal.nhsuk.dates import in_london, london_midnight
from bookings.slots import FURTHEST, OfferedSlot, SlotProblem, SlotSearch, search_slots
from directory.models import HealthcareService
from directory.remote import SenderIdentity

logger = logging.getLogger(__name__)

# Of one search. Each waits for the network without a connection of the database's pool.
AT_ONCE = 24
GONE = "That time is no longer free. Choose another time."
UNSURE = "It is not known whether that time is still free: the service did not say so. Try again."


def compare_services(
    client: BarsClient,
    *,
    services: Sequence[HealthcareService],
    start: datetime,
    end: datetime,
    sender: SenderIdentity,
    now: datetime,
    seconds: float = PAGE_SECONDS,
) -> Iterator[tuple[HealthcareService, SlotSearch]]:
    """Each service with its free slots from `start` to `end` (aware), in the order in which they answered.

    After `seconds` the search goes on without whoever has not answered: those come last, as NO_ANSWER. One
    whose search fails in our own house is told so too. Call it outside any transaction. Every search is
    recorded.
    """
    deadline = monotonic() + seconds
    hurried = client.within(seconds)

    def ask(service: HealthcareService) -> SlotSearch:
        try:
            return search_slots(hurried, service=service, start=start, end=end, sender=sender, now=now)
        except Exception:
            # A pool without a free connection, or an answer that we cannot deal with: the others are shown.
            # The text may quote the answer: the log's formatter leaves it out.
            logger.exception("comparing: a service could not be asked")
            return SlotSearch([], SlotProblem.NO_ANSWER)
        finally:
            connection.close()

    threads = ThreadPoolExecutor(AT_ONCE, "comparing")
    asked = {threads.submit(ask, service): service for service in services}
    try:
        for answered in as_completed(list(asked), timeout=max(0.0, deadline - monotonic())):
            yield asked.pop(answered), answered.result()
    except TimeoutError:
        for service in asked.values():
            yield service, SlotSearch([], SlotProblem.NO_ANSWER)
    finally:
        # Those under way end with the client's own deadline, and note what came of it.
        threads.shutdown(wait=False, cancel_futures=True)


# -- one time that was chosen


@dataclass(frozen=True)
class NotOffered:
    """`is_gone`: the service said so; else it did not say. `problem`: why it did not."""

    is_gone: bool
    problem: SlotProblem | None = None

    @property
    def sentence(self) -> str:
        return GONE if self.is_gone else UNSURE


def still_offered(
    client: BarsClient,
    *,
    service: HealthcareService,
    slot_id: str,
    start: datetime,
    sender: SenderIdentity,
    now: datetime,
) -> OfferedSlot | NotOffered:
    """The search is repeated for the day of `start` (aware). Call it outside any transaction."""
    day, today = in_london(start).date(), in_london(now).date()
    if not today <= day <= today + FURTHEST:
        return NotOffered(is_gone=True)
    first, last = days_from(day, days=1)
    search = search_slots(client, service=service, start=max(first, now), end=last, sender=sender, now=now)
    return search.offer(slot_id, start) or NotOffered(_says_all(search), search.problem)


def days_from(first: date, *, days: int) -> tuple[datetime, datetime]:
    """The first and the last moment of whole London days; a time at midnight is the next day's."""
    return london_midnight(first), london_midnight(first + timedelta(days=days)) - timedelta(seconds=1)


def _says_all(search: SlotSearch) -> bool:
    return search.problem in (None, SlotProblem.NONE_IN_RANGE) and not search.not_shown
