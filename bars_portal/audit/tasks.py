"""Celery's entry points of the trail: thin, they only name the clock and the folder."""

from datetime import UTC, datetime

from celery import shared_task

from bars_portal.audit.chain import heads, sealer, signing


@shared_task  # type: ignore[untyped-decorator]  # Celery has no types
def seal() -> None:
    """Every 5 s."""
    sealer.seal_trail(now=datetime.now(UTC))


@shared_task  # type: ignore[untyped-decorator]  # Celery has no types
def export() -> None:
    """Every hour, where a key and a folder are set: production refuses to start a worker without."""
    place = heads.folder()
    if place is not None and signing.can_sign():
        heads.export_head(place, now=datetime.now(UTC))
