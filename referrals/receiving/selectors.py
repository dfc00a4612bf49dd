"""The cases that messages and searches name, and when a request without a time is due."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Case as Ranked
from django.db.models import Q, QuerySet, Value, When

from bars_portal.correspondence.searches import Found, Order, find, merged
from bars_portal.correspondence.states import Direction
from bars_portal.exchange.fhir.access import Caller
from bars_portal.exchange.fhir.identifiers import ServiceID, UnknownTarget, is_uuid
from bars_portal.exchange.fhir.queries.patients import RequestIdentifier, ServiceRequestQuery
from bars_portal.exchange.models import OutboundMessage
from bars_portal.patients.selectors import with_number
from bars_portal.sql import ask
from directory.models import HealthcareService
from referrals.cases.models import MODELS, Case, CaseReply, CaseVersion
from referrals.cases.selectors import BELONGING, REPLY_ONLY, AnyCase, locked, received_rows
from referrals.cases.states import CURRENT, Category


def lock_received_case(
    *,
    category: Category,
    service_id: ServiceID,
    ids: Sequence[UUID],
    full_url: str,
    source: ServiceID | None,
    correlation_id: UUID,
    journey_id: UUID | None,
) -> Case | None:
    """The case that a later message is about, its row locked: by one of `ids`, else by the sender's fullUrl.

    A sender may use one fullUrl for several cases, so that counts only inside a conversation or a journey;
    the conversation goes first, and what still stands goes before what is over.
    """
    model = MODELS[category]
    ours: QuerySet[Any] = model.objects.filter(
        direction=Direction.RECEIVED, service__service_id=service_id.value
    )
    for known in ids:
        if ours.filter(pk=known).exists():
            return locked(model, known)
    if not full_url:
        return None
    conversation = Q(correlation_id=correlation_id)
    same = conversation | Q(journey__journey_id=journey_id) if journey_id else conversation
    named = ours.filter(same, sender_full_url=full_url, source_service_id=source.value if source else "")
    told = Ranked(When(conversation, then=Value(0)), default=Value(1))
    stands = Ranked(When(status__in=CURRENT, then=Value(0)), default=Value(1))
    found = named.order_by(told, stands, "-created_at").values_list("pk", flat=True).first()
    return locked(model, found) if found else None


def hold_conversation(correlation_id: UUID) -> None:
    """Until the transaction ends nobody else may begin a case of the conversation in this way."""
    ask("SELECT pg_advisory_xact_lock(%s::bigint)", correlation_id.int & (2**63 - 1))


def cases_found(
    *,
    service_id: ServiceID | UnknownTarget | None,
    query: ServiceRequestQuery,
    caller: Caller,
    after: tuple[datetime | UUID, ...] = (),
) -> Found[Case]:
    """Received cases that a search names, the youngest first; of one service when it is named.

    An NHS number counts only where the message said that it was verified (standard section 6).
    """
    order = Order(("created_at",), after)
    sides: list[Found[Any]] = [_found(each, service_id, query, caller, order) for each in MODELS.values()]
    return merged(sides, order)


def _found(
    model: type[AnyCase],
    service_id: ServiceID | UnknownTarget | None,
    query: ServiceRequestQuery,
    caller: Caller,
    order: Order,
) -> Found[AnyCase]:
    found = received_rows(model).select_related(*BELONGING, "message").defer(*REPLY_ONLY)
    if service_id is not None:
        found = found.filter(service__service_id=service_id.value)
    if query.identifier is not None:
        found = found.filter(_named(query.identifier))
    if (number := query.patient.identifier) is not None:
        found = found.filter(with_number(number.value))
    return find(found, order=order, caller=caller, person=query.patient.demographics)


def _named(identifier: RequestIdentifier) -> Q:
    """By our reference, by the requester's case number, or by an identifier of the ServiceRequest itself."""
    said = {"system": identifier.system} if identifier.system else {}
    own = Q(
        resource__has_key="identifier",
        resource__identifier__contains=[{**said, "value": identifier.value}],
    )
    return Q(reference=identifier.value) | Q(case_number=identifier.value) | own


def lock_case_of_response(*, category: Category, bundle_id: str, correlation_id: UUID) -> Case | None:
    """The sent case, its row locked; None when nothing that we sent, nor an answer to it, has this Bundle.id.

    The correlation id only helps to choose: many conversations may share one, and a reply needs an anchor.
    """
    rows = MODELS[category].objects.filter(direction=Direction.SENT)
    same = Ranked(When(correlation_id=correlation_id, then=Value(0)), default=Value(1))
    for ids in _candidates(category, bundle_id, correlation_id):
        found = rows.filter(pk__in=ids).order_by(same, "-created_at").values_list("pk", flat=True).first()
        if found is not None:
            return locked(MODELS[category], found)
    return None


def _candidates(category: Category, bundle_id: str, correlation_id: UUID) -> list[list[UUID]]:
    owner = "referral_id" if category is Category.REFERRAL else "validation_id"
    named = {"bundle_id": bundle_id, f"{owner}__isnull": False}
    ours = CaseVersion.objects.filter(**named).values_list(owner, flat=True)
    theirs = CaseReply.objects.filter(**named).values_list(owner, flat=True)
    return [list(ours), list(theirs), _sent(category, bundle_id, correlation_id)]


def _sent(category: Category, bundle_id: str, correlation_id: UUID) -> list[UUID]:
    """Messages of the outbox, such as our updates; within the conversation, which is indexed."""
    if not is_uuid(bundle_id):
        return []
    label = MODELS[category]._meta.label_lower
    found = OutboundMessage.objects.filter(
        correlation_id=correlation_id, bundle_id=bundle_id, subject_type=label
    )
    return [UUID(each) for each in found.values_list("subject_id", flat=True)]


# Compiled by the ORM it took 0.2 of the 4.4 ms of accepting a request (benchmarks/bench_accept.py).
# The service counts more than the outcome code, and that more than the priority.
_MINUTES = """
    SELECT minutes FROM referrals_breachrule
    WHERE (service_id = %s OR service_id IS NULL) AND category = %s AND priority IN (%s, '')
      AND (outcome_code = '' OR outcome_code = ANY(%s))
    ORDER BY service_id DESC NULLS LAST, outcome_code = '', priority DESC, minutes LIMIT 1"""


def minutes_by_rule(
    service: HealthcareService, category: Category, priority: str, codes: Sequence[str] = ()
) -> int | None:
    """Minutes from its arrival, by the rule that says most about it; None without a rule.

    `codes`: outcome codes of the message; of rules that fit several of them the shortest time counts.
    """
    found = ask(_MINUTES, service.pk, category.value, priority, list(codes))
    return found[0] if found else None
