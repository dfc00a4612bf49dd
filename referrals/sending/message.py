"""What every message about a request of ours needs: the case, its addressing, its header."""

from datetime import datetime
from uuid import UUID

from django.db import models

from bars_portal.accounts.acting import StatedPerson
from bars_portal.accounts.models import Membership, User
from bars_portal.accounts.permissions import Role
from bars_portal.correspondence.envelope import header_to
from bars_portal.exchange.fhir.bundle import HeaderFacts
from bars_portal.exchange.fhir.codes import UseCase
from bars_portal.exchange.fhir.identifiers import ServiceID
from bars_portal.exchange.fhir.json import as_dict, as_text
from bars_portal.exchange.registry import Addressing
from directory.remote import SenderIdentity, has_role_profile
from referrals.cases.models import MODELS, Case, Referral, ValidationCase
from referrals.cases.selectors import locked
from referrals.cases.states import Category
from referrals.parts.people import STAFF_SYSTEM, Requester
from referrals.sending.mapping import Envelope


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
