"""Received cases as their senders name them on the wire."""

from collections.abc import Sequence
from typing import Any, TypeVar
from uuid import UUID

from django.db.models import Case as Ranked
from django.db.models import Q, QuerySet, Value, When

from bars_portal.exchange.fhir.identifiers import ServiceID
from bars_portal.exchange.fhir.queries.patients import Demographics, RequestIdentifier, ServiceRequestQuery
from bars_portal.patients.models import Patient
from referrals.models import MODELS, Case, Referral, ValidationCase
from referrals.states import CURRENT, Category, Direction

# One patient has few cases; a search that finds more is not for one patient.
MOST_FOUND = 100
_RELATED = ("service", "organisation", "patient", "journey")
# What came with a request may be in the reply to its message only (referrals.included).
_REPLY_ONLY = ("message__body", "message__headers", "message__warnings")
AnyCase = TypeVar("AnyCase", Referral, ValidationCase)


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


def locked(model: type[Referral] | type[ValidationCase], case_id: UUID) -> Case:
    """The case with what belongs to it, its row locked until the end of the transaction.

    The lock is taken without joins: PostgreSQL drops a row from a join when what it joins was changed by
    whoever held the lock before.
    """
    rows: QuerySet[Any] = model.objects.all()
    rows.select_for_update().only("pk").get(pk=case_id)
    case: Case = rows.select_related(*_RELATED, "message").defer(*_REPLY_ONLY).get(pk=case_id)
    return case


def received_case(case_id: UUID) -> Case | None:
    """A received case by our id, whatever became of it."""
    found: Case | None = _received(Referral).filter(pk=case_id).first()
    return found or _received(ValidationCase).filter(pk=case_id).first()


def cases_found(*, service_id: ServiceID | None, query: ServiceRequestQuery) -> list[Case]:
    """Received cases that a search names, the youngest first; of one service when it is named.

    An NHS number counts only where the message said that it was verified (standard section 6).
    """
    found: list[Case] = [*_found(Referral, service_id, query), *_found(ValidationCase, service_id, query)]
    return sorted(found, key=lambda case: case.created_at, reverse=True)[:MOST_FOUND]


def _found(model: type[AnyCase], service_id: ServiceID | None, query: ServiceRequestQuery) -> list[AnyCase]:
    found = _received(model).select_related(*_RELATED, "message").defer(*_REPLY_ONLY).order_by("-created_at")
    if service_id is not None:
        found = found.filter(service__service_id=service_id.value)
    if query.identifier is not None:
        found = found.filter(_named(query.identifier))
    if (number := query.patient.identifier) is not None:
        found = found.filter(patient__nhs_number=number.value, patient__nhs_number_verified=True)
    person = query.patient.demographics
    if person is None:
        return list(found[:MOST_FOUND])
    same_birth = found.filter(patient__birth_date=person.birth_date)[: MOST_FOUND * 10]
    return [case for case in same_birth if _is_person(case.patient, person)]


def _named(identifier: RequestIdentifier) -> Q:
    """By our reference, by the requester's case number, or by an identifier of the ServiceRequest itself."""
    said = {"system": identifier.system} if identifier.system else {}
    own = Q(
        resource__has_key="identifier",
        resource__identifier__contains=[{**said, "value": identifier.value}],
    )
    return Q(reference=identifier.value) | Q(case_number=identifier.value) | own


def _received(model: type[AnyCase]) -> QuerySet[AnyCase]:
    return model.objects.filter(direction=Direction.RECEIVED).select_related(*_RELATED)


def _is_person(patient: Patient, demographics: Demographics) -> bool:
    """The whole postcode, and every word of the name among the words of the patient's."""
    words = f"{patient.given_names} {patient.family_name}".casefold().split()
    asked = demographics.name.casefold().split()
    same_place = "".join(patient.postcode.upper().split()) == demographics.postcode
    return same_place and bool(asked) and all(word in words for word in asked)
