"""Sending what a draft says: as a new request, an update, or instead of an old referral."""

from datetime import datetime
from typing import Any

from django.db import transaction

from bars_portal.accounts.acting import Acting
from bars_portal.patients.details import PatientDetails
from referrals import policies
from referrals.content import RequestContent
from referrals.latest import LatestRequest
from referrals.models import SENT, Case, RequestDraft
from referrals.services.requesting import request_referral, request_validation
from referrals.services.rereferring import refer_again
from referrals.services.updating_sent import update_request
from referrals.states import Category


@transaction.atomic
def send_draft(
    *,
    draft: RequestDraft,
    content: RequestContent,
    details: PatientDetails,
    acting: Acting,
    now: datetime,
    latest: LatestRequest | None = None,
    reason: str = "",
) -> Case:
    """The case that it is about. `latest` for drafts that change a case: read before, outside a transaction.

    `reason`: why an old referral is taken back. Raises PolicyRefused and ContentInvalid.
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
