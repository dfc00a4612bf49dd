"""What we answer to a case that we received, and what colleagues write beside it."""

import uuid

from django.db import models

from bars_portal.accounts.models import User
from referrals.answer_states import AnswerState
from referrals.models.history import CaseRecord, OfOneCase
from referrals.states import ReplyKind


class CaseAnswer(OfOneCase):
    """One servicerequest-response of ours: what was said, and whether the requester has heard it.

    Only its delivery ever changes; every attempt is a row of the exchange.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=20, choices=[(kind.value, kind.label) for kind in ReplyKind])
    # referrals.content_answers, by kind.
    content = models.JSONField(default=dict)
    # Bundle.id of the newest message, "" when none could be sent, and of the request that it answers.
    bundle_id = models.CharField(max_length=64, blank=True)
    answers_bundle_id = models.CharField(max_length=64, blank=True)
    # MessageHeader.reason: an answer before this one was sent.
    is_update = models.BooleanField(default=False)
    state = models.CharField(max_length=12, choices=[(state.value, state.label) for state in AnswerState])
    # In plain words, when it was refused or is not known.
    explanation = models.CharField(max_length=300, blank=True)
    author = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    author_label = models.CharField(max_length=200)
    created_at = models.DateTimeField()
    settled_at = models.DateTimeField(null=True)

    class Meta(OfOneCase.Meta):
        ordering = ["created_at", "id"]
        indexes = [
            models.Index(
                fields=["state"],
                condition=~models.Q(state=AnswerState.DELIVERED),
                name="caseanswer_open",
            )
        ]

    def __str__(self) -> str:
        return ReplyKind(self.kind).label


class CaseNote(CaseRecord):
    """A colleague's note: it stays here, is told to nobody outside, and is never changed."""

    text = models.TextField()
    author = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    author_label = models.CharField(max_length=200)
    at = models.DateTimeField()

    class Meta(CaseRecord.Meta):
        ordering = ["at", "id"]

    def __str__(self) -> str:
        return f"note of {self.author_label}"
