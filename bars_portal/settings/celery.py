"""Celery wakes the outbox and keeps house; the outbox table is the truth."""

from pathlib import Path
from typing import Any

from bars_portal.settings.environment import VAR, env

_FILE_BROKER = "filesystem://"

CELERY_BROKER_URL = env.text("BROKER_URL", _FILE_BROKER)
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
# For good: meanwhile the worker's postroom sends without it.
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
# A broker that is down or frozen is given up soon: the worker finds by itself what was not announced.
CELERY_TASK_PUBLISH_RETRY = False
CELERY_BROKER_CONNECTION_TIMEOUT = 2
BROKER_IS_REMOTE = not CELERY_BROKER_URL.startswith(("filesystem:", "memory:"))
CELERY_BEAT_SCHEDULE = {
    "purge-drafts": {"task": "bookings.tasks.purge_drafts", "schedule": 3600.0},
    "fill-clinics": {
        "task": "bookings.tasks.fill_clinics",
        "schedule": 3600.0,
        "options": {"expires": 3600.0},
    },
    "watch-capacity": {
        "task": "bookings.tasks.watch_capacity",
        "schedule": 300.0,
        "options": {"expires": 300.0},
    },
    "purge-request-drafts": {"task": "referrals.tasks.purge_drafts", "schedule": 3600.0},
    "forget-typed": {"task": "bars_portal.accounts.tasks.forget_typed", "schedule": 3600.0},
    "forget-api": {"task": "bars_portal.api.tasks.forget", "schedule": 3600.0},
    "mail-break-glass": {
        "task": "bars_portal.accounts.tasks.mail_break_glass",
        "schedule": 60.0,
        "options": {"expires": 60.0},
    },
    "mail-what-ends": {
        "task": "bars_portal.status.tasks.mail_what_ends",
        "schedule": 3600.0,
        "options": {"expires": 3600.0},
    },
    "note-status": {
        "task": "bars_portal.status.tasks.note",
        "schedule": 30.0,
        "options": {"expires": 30.0},
    },
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


def transport_options(url: str) -> dict[str, Any]:
    """No wait for the broker is without an end: to connect, to write, and (Redis) for an answer."""
    if url == _FILE_BROKER:
        return _file_broker(VAR / "celery")
    if url.startswith(("redis", "sentinel")):
        return {"max_retries": 0, "socket_connect_timeout": 2, "socket_timeout": 5}
    return {"max_retries": 0, "connect_timeout": 2, "write_timeout": 2}


CELERY_BROKER_TRANSPORT_OPTIONS = transport_options(CELERY_BROKER_URL)
