"""The Bundles of a request: as new, as an update, and taken back (messages.md section 5)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from bars_portal.correspondence.entries import Entry, HeaderFacts, derived_url, full_url
from bars_portal.exchange.fhir import profiles
from bars_portal.exchange.fhir.bundle import Resource, new_message
from bars_portal.exchange.fhir.codes import (
    MessageCategory,
    MessageEvent,
    MessageReason,
    ServiceRequestStatus,
    UseCase,
)
from bars_portal.exchange.fhir.profiles import Definition
from bars_portal.exchange.fhir.timestamps import format_instant

_DEFINITIONS = {
    MessageCategory.REFERRAL: Definition.REFERRAL_REQUEST,
    MessageCategory.VALIDATION: Definition.VALIDATION_REQUEST,
}
_PROFILES = {
    MessageCategory.REFERRAL: profiles.SERVICEREQUEST_REFERRAL,
    MessageCategory.VALIDATION: profiles.SERVICEREQUEST_VALIDATION,
}
# What a cancel keeps of the version that the receiver holds: it is a stripped message.
_KEPT = ("id", "identifier", "intent", "occurrencePeriod", "authoredOn")


@dataclass(frozen=True)
class Envelope:
    """What the message itself is called and where it goes."""

    case_id: UUID
    bundle_id: UUID
    header: HeaderFacts
    now: datetime


def request_message(
    envelope: Envelope,
    *,
    category: MessageCategory,
    reason: MessageReason,
    request: Resource,
    included: Sequence[Sequence[Any]],
) -> dict[str, Any]:
    """servicerequest-request, reason new or update: all that `request_entries` gave."""
    return _message(envelope, _DEFINITIONS[category], reason, request, [(u, r) for u, r in included])


def end_message(
    envelope: Envelope, *, request: Resource, included: Sequence[Sequence[Any]]
) -> dict[str, Any]:
    """servicerequest-request, reason update: the request that is taken back, its patient, both parties."""
    wanted = [derived_url(envelope.case_id, part) for part in ("patient", "receiver", "sender")]
    entries = [(url, resource) for url, resource in included if url in wanted]
    return _message(envelope, Definition.REQUEST_CANCELLED, MessageReason.UPDATE, request, entries)


def ended_request(
    latest: Resource,
    *,
    case_id: UUID,
    category: MessageCategory,
    use_case: UseCase,
    status: ServiceRequestStatus,
    reason: str,
    now: datetime,
) -> Resource:
    """The end of the version that the receiver holds; `reason` in words, or ""."""
    kept = {name: latest[name] for name in _KEPT if latest.get(name)}
    meta = {"lastUpdated": format_instant(now), "profile": [_PROFILES[category]]}
    note = {"note": [{"time": format_instant(now), "text": reason}]} if reason else {}
    return {
        "resourceType": "ServiceRequest",
        "intent": "plan",
        **kept,
        "meta": meta,
        "status": status.value,
        "category": [{"coding": [category.coding, use_case.coding]}],
        "subject": {"reference": derived_url(case_id, "patient")},
        **note,
    }


def _message(
    envelope: Envelope, definition: Definition, reason: MessageReason, request: Resource, entries: list[Entry]
) -> dict[str, Any]:
    header, case_id = envelope.header, envelope.case_id
    return new_message(
        bundle_id=envelope.bundle_id,
        now=envelope.now,
        event=MessageEvent.SERVICEREQUEST_REQUEST,
        reason=reason,
        definition=definition,
        destination=header.destination,
        source=header.source,
        source_name=header.source_name,
        software=header.software,
        version=header.version,
        receiver_url=derived_url(case_id, "receiver"),
        sender_url=derived_url(case_id, "sender"),
        focus_url=full_url(case_id),
        entries=[(full_url(case_id), request), *entries],
    )
