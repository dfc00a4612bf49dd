"""What the six response types have in common when they are ours: where to, what, and what became of it."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import models

from bars_portal.audit.actor import Actor
from bars_portal.exchange.registry import Addressing, MessageType, Outcome
from referrals.answering import as_answer, response_of, where_to
from referrals.services.answering import settle_answer, withdraw_overtaken


class AnswerMessage(MessageType):
    """A servicerequest-response; its subject is a CaseAnswer."""

    def addressing(self, subject: models.Model) -> Addressing:
        return where_to(as_answer(subject))

    def build(self, subject: models.Model, *, bundle_id: UUID, now: datetime) -> dict[str, Any]:
        return response_of(as_answer(subject), bundle_id=bundle_id, now=now)

    def handle_reply(self, subject_id: str, outcome: Outcome, *, actor: Actor, now: datetime) -> None:
        settle_answer(answer_id=UUID(subject_id), outcome=outcome, actor=actor, now=now)

    def withdraw(self, subject_id: str, *, actor: Actor, now: datetime) -> bool:
        return withdraw_overtaken(answer_id=UUID(subject_id), actor=actor, now=now)
