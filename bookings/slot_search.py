"""Asking a service for its free slots, through the wire, in real time; nothing is kept (section 7)."""

from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

from django.db import transaction

from bars_portal.audit.services import record
from bars_portal.exchange.fhir import json
from bars_portal.exchange.fhir.codes import SlotStatus
from bars_portal.exchange.fhir.queries.services import SlotInclude
from bars_portal.exchange.transport.auth import TokenRefused
from bars_portal.exchange.transport.client import BarsClient
from bars_portal.exchange.transport.headers import OutgoingContext
from bars_portal.exchange.transport.judgement import Delivery, Judgement, judge_answer
from bars_portal.http import Answer, TransportError
from bookings import mapping
from bookings.offers import OfferedSlot, SlotProblem, SlotSearch
from directory.models import HealthcareService
from directory.remote import SenderIdentity, reading_context
from directory.selectors.capability import agreed_version_with
from directory.services.entries import record_contact, record_no_contact

__all__ = ["OfferedSlot", "SlotProblem", "SlotSearch", "search_slots"]

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
    try:
        answer = client.get("/Slot", params=_params(context, start, end), context=context)
    except TokenRefused:
        return SlotSearch([], SlotProblem.REFUSED)
    except TransportError:
        return SlotSearch([], SlotProblem.NO_ANSWER)
    judged = judge_answer(
        answer,
        request_id=context.request_id,
        correlation_id=context.correlation_id,
        expected="Bundle:searchset",
    )
    if judged.delivery is not Delivery.ACCEPTED:
        return SlotSearch([], _problem(judged, answer))
    offers = mapping.read_offers(json.loads(answer.body))
    return SlotSearch(offers, None if offers else SlotProblem.NONE_IN_RANGE)


def _params(context: OutgoingContext, start: datetime, end: datetime) -> Sequence[tuple[str, str]]:
    return [
        ("Schedule.actor:HealthcareService", context.target.value),
        ("status", SlotStatus.FREE.value),
        ("start", f"ge{_instant(start)}"),
        ("start", f"le{_instant(end)}"),
        *(("_include", include.value) for include in INCLUDES),
    ]


def _instant(moment: datetime) -> str:
    """Senders should speak UTC (api.md section 3)."""
    return moment.astimezone(UTC).isoformat(timespec="seconds")


def _problem(judged: Judgement, answer: Answer) -> SlotProblem:
    if judged.delivery is Delivery.UNKNOWN:
        return SlotProblem.NO_ANSWER
    if answer.status == _UNKNOWN_PLACE:
        return SlotProblem.NOT_ON_NETWORK
    return SlotProblem.NO_BOOKINGS if answer.status in _NO_SUCH_OPERATION else SlotProblem.REFUSED


@transaction.atomic
def _note(
    service: HealthcareService, sender: SenderIdentity, correlation_id: UUID, found: SlotSearch, now: datetime
) -> None:
    answered = found.problem in (None, SlotProblem.NONE_IN_RANGE)
    if answered:
        record_contact(service_id=service.service_id, now=now)
    elif found.problem is SlotProblem.NO_ANSWER:
        record_no_contact(service_id=service.service_id, now=now)
    record(
        actor=sender.actor,
        action="bookings.search_slots",
        subject=service,
        outcome="done" if answered else "failed",
        detail={"offered": len(found.offers), "problem": found.problem.value if found.problem else None},
        correlation_id=correlation_id,
        now=now,
    )
