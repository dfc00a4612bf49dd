"""The messages about a request of ours: case, addressing, header, who asks; and their Bundles.

The Bundles are pure: as new, as an update, and taken back (messages.md section 5).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import models

from bars_portal.accounts.acting import StatedPerson
from bars_portal.accounts.models import Membership, User
from bars_portal.accounts.permissions import Role
from bars_portal.correspondence.entries import Entry, clean, derived_url, full_url
from bars_portal.correspondence.envelope import header_to
from bars_portal.exchange.fhir import profiles
from bars_portal.exchange.fhir.bundle import HeaderFacts, MessageBundle, Resource, new_message
from bars_portal.exchange.fhir.codes import (
    MessageCategory,
    MessageEvent,
    MessageReason,
    ServiceRequestStatus,
    UseCase,
)
from bars_portal.exchange.fhir.identifiers import ServiceID
from bars_portal.exchange.fhir.json import as_dict, as_text
from bars_portal.exchange.fhir.profiles import Definition
from bars_portal.exchange.fhir.timestamps import format_instant
from bars_portal.exchange.registry import Addressing
from directory.remote import SenderIdentity, has_role_profile
from referrals.cases.models import MODELS, Case, Referral, ValidationCase
from referrals.cases.selectors import locked
from referrals.cases.states import Category
from referrals.cases.wire import bare, has_usable_id
from referrals.parts.people import STAFF_SYSTEM, Requester


@dataclass(frozen=True)
class Envelope:
    """What the message itself is called and where it goes."""

    case_id: UUID
    bundle_id: UUID
    header: HeaderFacts
    now: datetime


def as_case(subject: models.Model) -> Case:
    if not isinstance(subject, Referral | ValidationCase):
        raise TypeError("A referral or validation message is about a case.")
    return subject


def receiver_address(case: Case) -> Addressing:
    return Addressing(
        service_id=ServiceID.parse(case.service.service_id),
        correlation_id=case.correlation_id,
        use_case=UseCase(case.use_case),
        category=case.category.value,
    )


def envelope_of(case: Case, *, bundle_id: UUID, now: datetime) -> Envelope:
    return Envelope(case.pk, bundle_id, _header(case), now)


def _header(case: Case) -> HeaderFacts:
    """With the decision support that the request names, of an update as it is to be."""
    stated = as_dict(as_dict((case.pending or {}).get("content") or case.content).get("assessment"))
    tool, version = (as_text(stated.get(name)) for name in ("triage_tool", "triage_tool_version"))
    return header_to(case.service, sender=case.organisation, tool=tool, tool_version=version)


def requester_of(sender: SenderIdentity, *, phone: str) -> Requester:
    """The person who asks, by the names that the organisation knows; reads the user and their roles."""
    actor = sender.actor
    if sender.stated is not None:
        return _stated(sender.stated, phone)
    user = User.objects.filter(pk=actor.user_id).first() if actor.user_id else None
    if user is None:
        return Requester(family_name=actor.label, phone=phone)
    return Requester(
        family_name=user.last_name or user.get_username(),
        given_names=user.first_name,
        role_profile_id=user.sds_role_profile_id,
        role_code=user.role_code,
        role_display=user.role_display,
        staff_id=str(user.pk),
        phone=phone,
        is_clinical=Membership.objects.filter(
            user=user, organisation=actor.organisation_id, role=Role.CLINICIAN.value
        ).exists(),
    )


def _stated(person: StatedPerson, phone: str) -> Requester:
    """As their organisation's own system names them: FHIR allows no blank in the address of a system."""
    known = {"role_profile_id": person.value} if has_role_profile(person) else {"staff_id": person.value}
    return Requester(
        family_name=person.name,
        is_clinical=person.is_clinical,
        phone=phone,
        staff_system=STAFF_SYSTEM if any(map(str.isspace, person.system)) else person.system,
        **known,
    )


def lock_sent(category: Category, case_id: str) -> Case:
    """The case whose message is being settled, or that is to be changed; nobody else changes it meanwhile."""
    return locked(MODELS[category], UUID(case_id))


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
    """servicerequest-request, reason update: the request that is taken back, its patient with the practice,
    both parties.
    """
    wanted = [derived_url(envelope.case_id, part) for part in ("patient", "practice", "receiver", "sender")]
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
    note = {"time": format_instant(now), "text": reason}
    told = {"reasonCode": [{"text": reason}], "note": [note]} if reason else {}
    return {
        "resourceType": "ServiceRequest",
        "intent": "plan",
        **kept,
        "meta": meta,
        "status": status.value,
        "category": [{"coding": [category.coding, use_case.coding]}],
        "subject": {"reference": derived_url(case_id, "patient")},
        **told,
    }


def _message(
    envelope: Envelope, definition: Definition, reason: MessageReason, request: Resource, entries: list[Entry]
) -> dict[str, Any]:
    case_id = envelope.case_id
    return new_message(
        bundle_id=envelope.bundle_id,
        now=envelope.now,
        event=MessageEvent.SERVICEREQUEST_REQUEST,
        reason=reason,
        definition=definition,
        facts=envelope.header,
        receiver_url=derived_url(case_id, "receiver"),
        sender_url=derived_url(case_id, "sender"),
        focus_url=full_url(case_id),
        entries=[(full_url(case_id), request), *entries],
    )


Held = Sequence[Sequence[Any]]


def updated_resource(new: Resource, held: Resource) -> Resource:
    """As newly written, with the receiver's id; the stamp stays when nothing else differs.

    Standard section 6, "Stale update": an equal stamp means unchanged, a newer one replaces.
    """
    named = {**new, "id": held["id"]} if held.get("id") else new
    return held if bare(named) == bare(held) else named


def updated_entries(new: Sequence[Entry], held: Held) -> list[Entry]:
    """The same for every entry, and the receiver's own Encounter told back (messages.md, CAD updates)."""
    known = {str(url): resource for url, resource in held}
    ours = {url for url, _ in new}
    theirs = [(url, each) for url, each in known.items() if url not in ours and _is_encounter(each)]
    return [(url, updated_resource(each, known.get(url, {}))) for url, each in new] + theirs


def acknowledged_entries(held: Held, reply: MessageBundle) -> list[Entry]:
    """What we sent, with the ids that the answer gives, and the receiver's own Encounter."""
    named = {url: resource for url, resource in reply.entries if has_usable_id(url, resource)}
    ours = {str(url) for url, _ in held}
    # A receiver gives one Encounter of its own; more than a few are no answer to us.
    theirs = [(url, clean(each)) for url, each in reply.entries if url not in ours and _is_encounter(each)]
    return [(str(url), _with_id(each, named.get(str(url)))) for url, each in held] + theirs[:2]


def _with_id(ours: Resource, theirs: Resource | None) -> Resource:
    same = theirs is not None and theirs.get("resourceType") == ours["resourceType"]
    return {**ours, "id": as_text(theirs.get("id"))} if same and theirs else ours


def _is_encounter(resource: Resource) -> bool:
    return resource.get("resourceType") == "Encounter"
