"""The free slots of many services, asked for at once: one that hangs holds up no other."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, TimeoutError, as_completed
from datetime import datetime
from time import monotonic

from django.db import connection

from bars_portal.exchange.gateway import PAGE_SECONDS
from bars_portal.exchange.transport.client import BarsClient
from bookings.slots import SlotProblem, SlotSearch, search_slots
from directory.models import HealthcareService
from directory.remote import SenderIdentity

# Of one search. Each waits for the network without a connection of the database's pool.
AT_ONCE = 24


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

    After `seconds` the search goes on without whoever has not answered: those come last, as NO_ANSWER. Call
    it outside any transaction. Every search is recorded.
    """
    deadline = monotonic() + seconds
    hurried = client.within(seconds)

    def ask(service: HealthcareService) -> SlotSearch:
        try:
            return search_slots(hurried, service=service, start=start, end=end, sender=sender, now=now)
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
