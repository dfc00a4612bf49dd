"""Signatures by Standard Webhooks 1.0 (standardwebhooks.com): what a receiver checks before it believes."""

import secrets
from base64 import b64encode
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from uuid import UUID

from standardwebhooks import Webhook

_PREFIX, _BYTES = "whsec_", 32
ID, TIMESTAMP, SIGNATURE = "webhook-id", "webhook-timestamp", "webhook-signature"


def new_secret() -> str:
    """As the specification writes them: `whsec_` and base64."""
    return _PREFIX + b64encode(secrets.token_bytes(_BYTES)).decode("ascii")


def headers_for(body: bytes, *, message_id: UUID, now: datetime, using: Iterable[str]) -> Mapping[str, str]:
    """The three headers, with one signature for each secret.

    `message_id` is the same on every attempt, `now` the moment of this one: receivers refuse what is old.
    """
    at, text = now.astimezone(UTC), body.decode("utf-8")
    signatures = [Webhook(secret).sign(str(message_id), at, text) for secret in using]
    return {ID: str(message_id), TIMESTAMP: str(int(at.timestamp())), SIGNATURE: " ".join(signatures)}
