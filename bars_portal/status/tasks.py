"""Celery's entry point: thin, it only names the clock."""

from celery import shared_task
from django.utils import timezone

from bars_portal.sql import database_time
from bars_portal.status.checks import Moment
from bars_portal.status.services import note_conditions


@shared_task  # type: ignore[untyped-decorator]  # Celery has no types
def note() -> None:
    """Every 30 s."""
    note_conditions(Moment(database_time(), timezone.now()))
