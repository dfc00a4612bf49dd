"""Celery's entry point: thin, it only names the clock."""

from celery import shared_task
from django.utils import timezone

from bars_portal.sql import database_time
from bars_portal.status.checks import Moment
from bars_portal.status.services import mail_expiries, note_conditions


@shared_task  # type: ignore[untyped-decorator]  # Celery has no types
def note() -> None:
    """Every 30 s."""
    note_conditions(Moment(database_time(), timezone.now()))


@shared_task  # type: ignore[untyped-decorator]  # Celery has no types
def mail_what_ends() -> None:
    """Once an hour: certificates, chains and revocation lists that end soon."""
    mail_expiries(now=timezone.now())
