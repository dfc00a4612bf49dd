"""A request in the making, kept on the server; sent as a new request, an update, or instead of an old one."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from bars_portal.accounts.acting import Acting
from bars_portal.correspondence.latest import Latest
from bars_portal.patients.details import PatientDetails
from bars_portal.patients.models import Journey
from bookings.models import Booking
from directory.models import HealthcareService
from referrals.cases.models import Case, Referral, ValidationCase
from referrals.cases.states import Category
from referrals.parts.content import RequestContent
from referrals.sending import policies
from referrals.sending.models import SENT, RequestDraft
from referrals.sending.policies import check_can_refer_onward
from referrals.sending.requesting import request_referral, request_validation
from referrals.sending.taking_back import refer_again
from referrals.sending.updating import update_request

KEPT_FOR = timedelta(days=1)


def create_request_draft(
    *,
    acting: Acting,
    service: HealthcareService,
    use_case: str,
    now: datetime,
    booking: Booking | None = None,
    journey: Journey | None = None,
    replaces: Referral | None = None,
    updates: Case | None = None,
    onward: Case | None = None,
    typed: Mapping[str, Any] | None = None,
) -> RequestDraft:
    """Raises PolicyRefused. `use_case` is a code of usecases-categories-bars; `typed` is known already."""
    if updates is not None:
        policies.check_can_update(acting, updates)
    else:
        policies.check_can_request(acting, service, use_case)
        policies.check_not_paused(service, now)
    if replaces is not None:
        policies.check_can_refer_again(acting, replaces)
    if onward is not None:
        check_can_refer_onward(acting, onward)
    return RequestDraft.objects.create(
        user=acting.user,
        organisation=acting.organisation,
        service=service,
        use_case=use_case,
        booking=booking,
        journey=journey,
        replaces=replaces,
        updates_referral=updates if isinstance(updates, Referral) else None,
        updates_validation=updates if isinstance(updates, ValidationCase) else None,
        onward_from=onward.pk if onward else None,
        typed=dict(typed or {}),
        created_at=now,
        updated_at=now,
    )


def save_request_draft(*, draft: RequestDraft, typed: Mapping[str, Any], now: datetime) -> RequestDraft:
    """Keep exactly what was typed, valid or not yet."""
    draft.typed, draft.updated_at = dict(typed), now
    draft.save(update_fields=["typed", "updated_at"])
    return draft


@transaction.atomic
def save_request_step(
    *, draft: RequestDraft, step: str, answers: Mapping[str, str], now: datetime
) -> RequestDraft:
    """Keep what was typed into one step; what another window typed into another one stays.

    A draft that was sent meanwhile is not written any more.
    """
    held = RequestDraft.objects.select_for_update().filter(pk=draft.pk).first()
    if held is None or SENT in held.typed:
        return draft
    saved = save_request_draft(draft=held, typed={**held.typed, step: dict(answers)}, now=now)
    draft.typed, draft.updated_at = saved.typed, saved.updated_at
    return draft


def discard_request_draft(*, draft: RequestDraft) -> None:
    """Its author gives up; one that was sent meanwhile stays for the back button."""
    RequestDraft.objects.filter(pk=draft.pk).exclude(typed__has_key=SENT).delete()


def purge_request_drafts(*, now: datetime) -> int:
    """Delete what nobody touched for a day. Returns how many."""
    _, deleted = RequestDraft.objects.filter(updated_at__lt=now - KEPT_FOR).delete()
    return deleted.get(RequestDraft._meta.label, 0)


@transaction.atomic
def send_draft(
    *,
    draft: RequestDraft,
    content: RequestContent,
    details: PatientDetails,
    acting: Acting,
    now: datetime,
    latest: Latest | None = None,
    reason: str = "",
    reassessed: str = "",
) -> Case:
    """The case that it is about. `latest` for drafts that change a case: read before, outside a transaction.

    `reason`: why an old referral is taken back; `reassessed` is a Reassessed. Raises PolicyRefused and
    ContentInvalid.
    """
    case = draft.updates or draft.replaces
    if case is None:
        return _request(draft, content, details, acting, now)
    if latest is None:
        raise ValueError("Nothing is changed that was not read before.")
    policies.check_can_use_draft(acting, draft)
    held = RequestDraft.objects.select_for_update().filter(pk=draft.pk).first()
    if held is None or SENT in held.typed:
        return case
    if draft.replaces is not None:
        plan = refer_again(
            referral=draft.replaces,
            content=content,
            service=draft.service,
            latest=latest,
            reason=reason,
            reassessed=reassessed,
            acting=acting,
            now=now,
        )
        changed: Case = plan.made or draft.replaces
    else:
        changed = update_request(
            case=case, content=content, latest=latest, acting=acting, now=now, details=details
        )
    RequestDraft.objects.filter(pk=draft.pk).update(typed={SENT: True}, updated_at=now)
    return changed


def _request(
    draft: RequestDraft, content: RequestContent, details: PatientDetails, acting: Acting, now: datetime
) -> Case:
    about: dict[str, Any] = {"content": content, "details": details, "service": draft.service}
    about |= {"acting": acting, "now": now, "journey": draft.journey, "draft": draft}
    if Category(content.category.value) is Category.VALIDATION:
        return request_validation(**about)
    return request_referral(booking=draft.booking, **about)
