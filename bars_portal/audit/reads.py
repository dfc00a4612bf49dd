"""The event of a partner's read as part of the statement that reads: there is never one without the other."""

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple, Self
from uuid import UUID

import orjson

from bars_portal.audit.actor import Actor


class ReadNote(NamedTuple):
    """An event of outcome "done" without a subject: the values of NOTED, in its order."""

    at: datetime
    actor_label: str
    action: str
    correlation_id: UUID
    detail: str

    @classmethod
    def of(
        cls,
        *,
        actor: Actor,
        action: str,
        now: datetime,
        detail: Mapping[str, str | int | None],
        correlation_id: UUID,
    ) -> Self:
        """As `record` takes them; the actor is no user of ours."""
        return cls(now, actor.label, action, correlation_id, orjson.dumps(dict(detail)).decode())


# SQL to be followed by FROM: one event for each row there, so none where nothing may be read.
NOTED = """
INSERT INTO audit_auditevent
    (at, actor_label, action, correlation_id, detail, outcome, subject_type, subject_id)
SELECT %s::timestamptz, %s, %s, %s::uuid, %s::jsonb, 'done', '', ''
"""
