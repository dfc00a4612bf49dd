"""Celery's entry points of referrals: thin, they only name the clock."""

from datetime import UTC, datetime

from celery import shared_task

from referrals.sending import drafts


@shared_task  # type: ignore[untyped-decorator]  # celery has no types
def purge_drafts() -> None:
    """Once an hour: what somebody typed about a patient and left does not lie about."""
    drafts.purge_request_drafts(now=datetime.now(UTC))
