"""Free slots, asked of services over the wire: of one, of many at once, of a chosen time anew (section 7)."""

import logging
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, TimeoutError, as_completed
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from time import monotonic
from uuid import UUID, uuid4

from django.db import connection, transaction

from bars_portal.audit.services import record
from bars_portal.exchange.fhir import json
from bars_portal.exchange.fhir.bundle import Resource
from bars_portal.exchange.fhir.codes import SlotStatus
from bars_portal.exchange.fhir.queries.services import SlotInclude
from bars_portal.exchange.fhir.reading import as_list
from bars_portal.exchange.gateway.client import PAGE_SECONDS
from bars_portal.exchange.transport.auth import NoCredentials, TokenRefused
from bars_portal.exchange.transport.client import BarsClient
from bars_portal.exchange.transport.headers import OutgoingContext
from bars_portal.exchange.transport.judgement import Delivery, Judgement, judge_answer
from bars_portal.http import Answer, TransportError
from bars_portal.nhsuk.dates import in_london, london_midnight
from bookings.mapping.offers import NotShown, OfferedSlot, not_shown, read_offers, says_none
from directory.models import HealthcareService
from directory.remote import Params, SenderIdentity, Unreachable, follow, reading_context
from directory.selectors.services import agreed_version_with
from directory.services.entries import record_contact, record_no_contact

logger = logging.getLogger(__name__)

# A search asks the receiver for this many days; it may refuse more than 31 (standard section 7).
DAYS_SHOWN = 3
# How far ahead a person may look.
FURTHEST = timedelta(days=180)


class SlotProblem(StrEnum):
    """Why a search shows no slots; `sentence` is for the person who searched."""

    NONE_IN_RANGE = "none-in-range"
    UNREADABLE = "unreadable"
    NO_ANSWER = "no-answer"
    NO_BOOKINGS = "no-bookings"
    NOT_ON_NETWORK = "not-on-network"
    NOT_CONNECTED = "not-connected"
    REFUSED = "refused"

    @property
    def sentence(self) -> str:
        return _SENTENCES[self]


_SENTENCES = {
    SlotProblem.NONE_IN_RANGE: (
        "This service has no free slots at these times. Try other days, or another service."
    ),
    SlotProblem.UNREADABLE: (
        "This service answered, but none of its times can be shown. It may have free ones: phone it, or "
        "choose another service, and tell your IT support."
    ),
    SlotProblem.NO_ANSWER: "This service did not answer. Try again, or choose another service.",
    SlotProblem.NO_BOOKINGS: "This service does not take bookings. Choose another service.",
    SlotProblem.NOT_ON_NETWORK: (
        "This service is not on the booking network. Choose another service, and tell your IT support."
    ),
    SlotProblem.NOT_CONNECTED: (
        "Your organisation is not connected to the booking network, so no service was asked. Book by "
        "telephone, and tell your IT support."
    ),
    SlotProblem.REFUSED: (
        "This service refused to show its slots. Choose another service, and tell your IT support."
    ),
}


@dataclass(frozen=True)
class SlotSearch:
    """Offers in order of time; `problem` is set when there are none.

    `not_shown`: what else the service has or may have. NONE_IN_RANGE only when it said so itself.
    """

    offers: list[OfferedSlot]
    problem: SlotProblem | None = None
    not_shown: tuple[NotShown, ...] = ()

    @property
    def without_details(self) -> int:
        """Offers of which the service left out whose or where they are."""
        return sum(each.lacks_details for each in self.offers)

    def offer(self, slot_id: str, start: datetime | None = None) -> OfferedSlot | None:
        """The offer with this Slot.id, when it is (still) among them, and then if it is named."""
        found = next((each for each in self.offers if each.id == slot_id), None)
        return found if found and start in (None, found.start) else None


INCLUDES = (
    SlotInclude.SCHEDULE,
    SlotInclude.PRACTITIONER,
    SlotInclude.PRACTITIONER_ROLE,
    SlotInclude.SERVICE,
    SlotInclude.LOCATION,
)
_UNKNOWN_PLACE = 404
# Receivers without slots answer so.
_NO_SUCH_OPERATION = frozenset({405, 501})


def search_slots(
    client: BarsClient,
    *,
    service: HealthcareService,
    start: datetime,
    end: datetime,
    sender: SenderIdentity,
    now: datetime,
) -> SlotSearch:
    """Free slots that start from `start` to `end` (aware, both included); never raises for what others do.

    Call it outside any transaction: it waits for the network. The search is recorded.
    """
    version = agreed_version_with(service, now=now)
    context = reading_context(sender, service.service_id, version=version)
    found = SlotSearch([], SlotProblem.NO_BOOKINGS)
    if service.active and service.takes_bookings:
        found = _ask(client, context, start, end)
    _note(service, sender, context.correlation_id, found, now)
    return found


def _ask(client: BarsClient, context: OutgoingContext, start: datetime, end: datetime) -> SlotSearch:
    """All pages of the answer, as far as they come; what the first one lacks, the search lacks."""

    def fetch(params: Params) -> Resource:
        # Each request has an id of its own (standard section 3).
        return _page(client, replace(context, request_id=uuid4()), params)

    try:
        found = follow("Slot", _params(context, start, end), fetch)
    except _NoPage as failed:
        return SlotSearch([], failed.problem)
    return read_answer(found.pages, is_cut=found.is_cut)


class _NoPage(Unreachable):
    def __init__(self, problem: SlotProblem) -> None:
        super().__init__()
        self.problem = problem


def _page(client: BarsClient, context: OutgoingContext, params: Params) -> Resource:
    """Raises _NoPage."""
    try:
        answer = client.get("/Slot", params=params, context=context)
    except NoCredentials:
        raise _NoPage(SlotProblem.NOT_CONNECTED) from None
    except TokenRefused:
        raise _NoPage(SlotProblem.REFUSED) from None
    except TransportError:
        raise _NoPage(SlotProblem.NO_ANSWER) from None
    judged = judge_answer(
        answer,
        request_id=context.request_id,
        correlation_id=context.correlation_id,
        expected="Bundle:searchset",
    )
    if judged.delivery is not Delivery.ACCEPTED:
        raise _NoPage(_problem(judged, answer))
    return json.loads(answer.body)


def _params(context: OutgoingContext, start: datetime, end: datetime) -> Params:
    return (
        ("Schedule.actor:HealthcareService", context.target.value),
        ("status", SlotStatus.FREE.value),
        ("start", f"ge{_utc(start)}"),
        ("start", f"le{_utc(end)}"),
        *(("_include", include.value) for include in INCLUDES),
    )


def _utc(moment: datetime) -> str:
    """Senders should speak UTC (api.md section 3)."""
    return moment.astimezone(UTC).isoformat(timespec="seconds")


def _problem(judged: Judgement, answer: Answer) -> SlotProblem:
    if judged.delivery is Delivery.UNKNOWN:
        return SlotProblem.NO_ANSWER
    if answer.status == _UNKNOWN_PLACE:
        return SlotProblem.NOT_ON_NETWORK
    return SlotProblem.NO_BOOKINGS if answer.status in _NO_SUCH_OPERATION else SlotProblem.REFUSED


def read_answer(pages: Sequence[Resource], *, is_cut: bool = False) -> SlotSearch:
    """What a searchset of one or more pages offers, and what of it cannot be shown."""
    entries = [each for page in pages for each in as_list(page.get("entry"))]
    offers, missing = read_offers({"entry": entries}), not_shown(pages, is_cut=is_cut)
    if offers:
        return SlotSearch(offers, None, missing)
    none = says_none(pages, is_cut=is_cut)
    return SlotSearch([], SlotProblem.NONE_IN_RANGE if none else SlotProblem.UNREADABLE, missing)


@transaction.atomic
def _note(
    service: HealthcareService, sender: SenderIdentity, correlation_id: UUID, found: SlotSearch, now: datetime
) -> None:
    answered = found.problem in (None, SlotProblem.NONE_IN_RANGE, SlotProblem.UNREADABLE)
    if answered:
        record_contact(service_id=service.service_id, now=now)
    elif found.problem is SlotProblem.NO_ANSWER:
        record_no_contact(service_id=service.service_id, now=now)
    record(
        actor=sender.actor,
        action="bookings.search_slots",
        subject=service,
        outcome="done" if answered else "failed",
        detail={
            "offered": len(found.offers),
            "problem": found.problem.value if found.problem else None,
            "not_shown": ", ".join(each.lack for each in found.not_shown) or None,
        },
        correlation_id=correlation_id,
        now=now,
    )


# -- many services at once

# Each waits for the network without a connection of the database's pool.
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

GONE = "That time is no longer free. Choose another time."
UNSURE = "It is not known whether that time is still free: the service did not say so. Try again."


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
