"""Celery's entry points of bookings: thin, they only name the clock."""

from datetime import UTC, datetime

from celery import shared_task

from bookings.services.clinics import fill_clinics as fill
from bookings.services.clinics import judge_alarms, mail_alarms
from bookings.services.requesting import purge_drafts as purge


@shared_task  # type: ignore[untyped-decorator]  # celery has no types
def purge_drafts() -> None:
    """Once an hour: what somebody typed about a patient and left does not lie about."""
    purge(now=datetime.now(UTC))


@shared_task  # type: ignore[untyped-decorator]  # celery has no types
def fill_clinics() -> None:
    """Once an hour: every clinic has its slots as far ahead as its plan says."""
    fill(now=datetime.now(UTC))


@shared_task  # type: ignore[untyped-decorator]  # celery has no types
def watch_capacity() -> None:
    """Every few minutes: services that run out of free slots, and managers who have not heard of it."""
    now = datetime.now(UTC)
    judge_alarms(now=now)
    mail_alarms(now=now)
