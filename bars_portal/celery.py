"""The Celery application of the worker and of everyone who announces work to it."""

import os

from celery import Celery
from celery.signals import worker_ready
from kombu.transport import TRANSPORT_ALIASES

# The demo's broker. Kombu's own lets a worker read half a message, and that stops it.
TRANSPORT_ALIASES["filesystem"] = "bars_portal.file_broker:Transport"
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bars_portal.settings.production")

app = Celery("bars_portal")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@worker_ready.connect  # type: ignore[untyped-decorator]  # Celery has no types
def _first_heartbeat(**_: object) -> None:
    """Beat's first one comes after its interval; readiness need not wait for that."""
    from bars_portal.exchange.tasks import heartbeat

    heartbeat()
