"""Celery wakes the outbox; the outbox table is the truth."""

from pathlib import Path
from typing import Any

from bars_portal.settings.environment import VAR, env

_FILE_BROKER = "filesystem://"

CELERY_BROKER_URL = env.text("BROKER_URL", _FILE_BROKER)
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
# Longer than one send can last; below delivery.STALE_AFTER.
CELERY_TASK_TIME_LIMIT = 170
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
# A request never waits long for a broker that is down: the sweep finds what was not announced.
CELERY_TASK_PUBLISH_RETRY = False
CELERY_BROKER_TRANSPORT_OPTIONS: dict[str, Any] = {"max_retries": 0}
if CELERY_BROKER_URL.startswith(("redis", "sentinel")):
    CELERY_BROKER_TRANSPORT_OPTIONS["socket_connect_timeout"] = 3
CELERY_BEAT_SCHEDULE = {
    "sweep-outbox": {"task": "bars_portal.exchange.tasks.sweep_outbox", "schedule": 60.0},
    "purge-drafts": {"task": "bookings.tasks.purge_drafts", "schedule": 3600.0},
    "purge-request-drafts": {"task": "referrals.tasks.purge_drafts", "schedule": 3600.0},
    "forget-typed": {"task": "bars_portal.accounts.tasks.forget_typed", "schedule": 3600.0},
    "heartbeat": {"task": "bars_portal.exchange.tasks.heartbeat", "schedule": 10.0},
}
CELERY_BEAT_SCHEDULE_FILENAME = str(VAR / "celery" / "beat-schedule")


def _file_broker(folder: Path) -> dict[str, Any]:
    """The demo's broker: files under var/, with a worker that looks every 50 ms."""
    for name in ("messages", "control"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    messages = str(folder / "messages")
    return {
        "data_folder_in": messages,
        "data_folder_out": messages,
        "control_folder": str(folder / "control"),
        "polling_interval": 0.05,
    }


if CELERY_BROKER_URL == _FILE_BROKER:
    CELERY_BROKER_TRANSPORT_OPTIONS = _file_broker(VAR / "celery")
