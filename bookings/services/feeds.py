"""Secret addresses from which calendars read a diary: made, used, and closed. Only a digest is kept."""

from datetime import datetime, timedelta
from hashlib import sha256
from secrets import token_urlsafe

from django.db import transaction

from bars_portal.accounts.acting import Acting
from bars_portal.accounts.permissions import PolicyRefused
from bars_portal.audit.services import record
from bookings.models import DiaryFeed
from bookings.policies import check_can_run
from directory.models import HealthcareService

MOST_DAYS = 365


def digest_of(secret: str) -> str:
    return sha256(secret.encode()).hexdigest()


@transaction.atomic
def make_feed(*, service: HealthcareService, days: int, acting: Acting, now: datetime) -> str:
    """The secret, which is told this once. Raises PolicyRefused."""
    check_can_run(acting, service)
    secret = token_urlsafe(32)
    feed = DiaryFeed.objects.create(
        organisation=acting.organisation,
        service=service,
        digest=digest_of(secret),
        made_at=now,
        made_by=acting.user,
        expires_at=now + timedelta(days=min(days, MOST_DAYS)),
    )
    record(actor=acting.actor, action="bookings.make_feed", subject=feed, now=now)
    return secret


@transaction.atomic
def revoke_feed(*, feed: DiaryFeed, acting: Acting, now: datetime) -> None:
    """Its address shows nothing from this moment. Raises PolicyRefused."""
    check_can_run(acting, feed.service)
    if not DiaryFeed.objects.filter(pk=feed.pk, revoked_at=None).update(revoked_at=now):
        raise PolicyRefused("This address was closed before.")
    record(actor=acting.actor, action="bookings.revoke_feed", subject=feed, now=now)
