"""What the portal leans on: Celery, NHS CIS2, mail; and who signs and keeps the audit trail.

Celery wakes the outbox and keeps house; the outbox table is the truth. Signing in with NHS CIS2 is on when an
issuer is named, and then everything else must be too. Mail to staff is on when a server is named.
"""

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

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


_issuer = env.text("CIS2_ISSUER", "")
_default = None if _issuer else ""
CIS2: dict[str, Any] = {
    "ISSUER": _issuer,
    "CLIENT_ID": env.text("CIS2_CLIENT_ID", _default),
    "KEY_ID": env.text("CIS2_KEY_ID", _default),
    "PRIVATE_KEY_FILE": env.text("CIS2_PRIVATE_KEY_FILE", _default),
    # A password alone (level 1) opens no clinical system.
    "ACR_VALUES": env.text("CIS2_ACR_VALUES", "AAL2_OR_AAL3_ANY"),
    "LEAST_AUTHENTICATION_LEVEL": env.whole("CIS2_LEAST_AUTHENTICATION_LEVEL", 2, 2, 3),
    "LEAST_IDENTITY_LEVEL": env.whole("CIS2_LEAST_IDENTITY_LEVEL", 3, 2, 3),
}
_address = urlsplit(_issuer)
# "Sign out" is a form, and its answer leads there.
CIS2_FORM_TARGETS = [f"{_address.scheme}://{_address.netloc}"] if _issuer else []


EMAIL_HOST = env.text("EMAIL_HOST", "")
EMAIL_PORT = env.port("EMAIL_PORT", 587)
EMAIL_USE_TLS = env.flag("EMAIL_USE_TLS", default=True)
EMAIL_HOST_USER = env.text("EMAIL_HOST_USER", "")
EMAIL_HOST_PASSWORD = env.text("EMAIL_HOST_PASSWORD", "")
# A page may wait for it.
EMAIL_TIMEOUT = 5
DEFAULT_FROM_EMAIL = env.text("DEFAULT_FROM_EMAIL", "bars-portal@localhost")
EMAIL_SUBJECT_PREFIX = ""


# Ed25519, PEM: of the worker that signs, and of who prunes.
AUDIT_SIGNING_KEY_FILE = env.text("AUDIT_SIGNING_KEY_FILE", "")
# Whose signatures are believed, earlier keys too; none: the public half of the above.
AUDIT_PUBLIC_KEY_FILES = env.listing("AUDIT_PUBLIC_KEY_FILES")
# Outside the database, best where the portal can add but not change.
AUDIT_HEADS_FOLDER = env.text("AUDIT_HEADS_FOLDER", "")
# Eight years, the time for which health records of adults are kept.
AUDIT_RETENTION_DAYS = env.whole("AUDIT_RETENTION_DAYS", 2922, 365, 36525)
