"""One thing by the id in a page's address: only what the person may see, None otherwise."""

from uuid import UUID

from django.db.models import Q

from bars_portal.accounts.acting import Acting
from bars_portal.patients.models import Journey
from directory.models import HealthcareService
from referrals.models import MODELS, Case, CaseAnswer, CaseVersion, UnmatchedReply, owned_by
from referrals.permissions import VIEW
from referrals.selectors.answers import answer_with_case
from referrals.states import Category, Direction

_RELATED = ("service__provider", "organisation", "patient", "journey", "assigned_to", "message")


def case_for(acting: Acting, case_id: UUID, direction: Direction) -> Case | None:
    """A referral or validation of the acting organisation."""
    if not acting.may(VIEW[direction]):
        return None
    for category in Category:
        rows = MODELS[category].objects.filter(
            pk=case_id, direction=direction, organisation=acting.organisation
        )
        found: Case | None = rows.select_related(*_RELATED).first()
        if found is not None:
            return found
    return None


def answer_for(acting: Acting, answer_id: UUID) -> CaseAnswer | None:
    """An answer to a received case of the acting organisation."""
    found = CaseAnswer.objects.filter(pk=answer_id).first()
    if found is None or not acting.may(VIEW[Direction.RECEIVED]):
        return None
    answer = answer_with_case(found.pk)
    return answer if answer.case.organisation_id == acting.organisation.pk else None


def version_for(case: Case, number: int) -> CaseVersion | None:
    rows = CaseVersion.objects.filter(**owned_by(case), number=number)
    return rows.select_related("message").first()


def unmatched_reply_for(acting: Acting, reply_id: UUID) -> UnmatchedReply | None:
    if not acting.may(VIEW[Direction.SENT]):
        return None
    rows = UnmatchedReply.objects.filter(pk=reply_id, organisation=acting.organisation)
    return rows.select_related("patient", "service", "journey", "message", "handled_by").first()


def journey_for(acting: Acting, journey_id: UUID) -> Journey | None:
    return Journey.objects.filter(pk=journey_id, organisation=acting.organisation).first()


def services_with_cases(acting: Acting) -> list[HealthcareService]:
    """Services of the acting organisation that others send cases or bookings to, by name."""
    takes = Q(takes_referrals=True) | Q(takes_bookings=True)
    rows = HealthcareService.objects.filter(takes, provider=acting.organisation, hosted=True)
    return list(rows.order_by("name"))
