"""What happened to a booking or a case, step by step: written once, conditionally, and never changed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NoReturn, Protocol
from uuid import UUID

from django.db import models

from bars_portal.accounts.models import User
from bars_portal.api import events
from bars_portal.audit.actor import Actor
from bars_portal.audit.services import event_of
from bars_portal.correspondence.states import TransitionRefused
from bars_portal.exchange import delivery, outbox
from bars_portal.exchange.models import OutboundMessage
from bars_portal.sql import insert
from directory.models import HealthcareService

NOTE_LENGTH = 300


class Tracked(Protocol):
    """A booking or a case: a row with a status, in a journey."""

    status: str
    direction: str

    @property
    def correlation_id(self) -> UUID: ...
    @property
    def service(self) -> HealthcareService: ...


class HistoryRow(models.Model):
    """A row that is written once."""

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        if self.pk is not None:
            raise TypeError("History is never changed.")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise TypeError("History is never deleted.")


class StatusChange(HistoryRow):
    """One step: what happened, and what it was before and after; the class below says whose step it is."""

    event = models.CharField(max_length=30)
    from_status = models.CharField(max_length=20, blank=True)
    to_status = models.CharField(max_length=20)
    at = models.DateTimeField()
    actor_label = models.CharField(max_length=200)
    actor_user = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    note = models.CharField(max_length=NOTE_LENGTH, blank=True)

    class Meta:
        abstract = True
        ordering = ["at", "id"]

    def __str__(self) -> str:
        return f"{self.from_status or 'new'} -> {self.to_status}"


@dataclass(frozen=True)
class Step:
    """One line of the history, as pages show it."""

    what: str
    who: str
    at: datetime
    note: str


def change_if(row: models.Model, *, still: Mapping[str, Any], values: Mapping[str, Any]) -> None:
    """Set the values where the row is `still` as it was read; the database says who was first.

    Raises TransitionRefused.
    """
    if not type(row)._default_manager.filter(pk=row.pk, **still).update(**values):
        raise TransitionRefused(f"It is no longer {', '.join(map(str, still.values()))}.")
    for name, value in values.items():
        setattr(row, name, value)


def write_step(
    step: StatusChange,
    *,
    about: Tracked,
    event: str,
    before: str,
    actor: Actor,
    now: datetime,
    note: str,
    detail: Mapping[str, Any],
    beside: Sequence[models.Model] = (),
) -> None:
    """Write the step with its audit event, the event for applications, and what goes with it, in one trip.

    `about` stands as it is after the step. `before` is "" for the first one.
    """
    row = as_row(about)
    step.event, step.from_status, step.to_status = event, before, about.status
    step.at, step.actor_label, step.actor_user_id = now, actor.label, actor.user_id
    step.note = note[:NOTE_LENGTH]
    audited = event_of(
        actor=actor,
        action=f"{row._meta.app_label}.{event.replace('-', '_')}",
        subject=row,
        outcome=step.to_status,
        detail=detail,
        correlation_id=about.correlation_id,
        now=now,
    )
    told = events.event_of(
        row,
        step=event,
        status=about.status,
        direction=about.direction,
        service_id=about.service.service_id,
        now=now,
    )
    insert(*beside, step, audited, told)


# What a task of people does, by whatever it is about: it moves no status, and applications hear of it.
TASK_STEPS: Mapping[str, str] = {
    each: each for each in ("task-raised", "task-taken", "task-given-back", "task-closed")
}


def tell(about: Tracked, step: str, *, now: datetime) -> None:
    """The event for applications of a step that is none of the history; in the transaction that takes it."""
    insert(
        events.event_of(
            as_row(about),
            step=step,
            status=about.status,
            direction=about.direction,
            service_id=about.service.service_id,
            now=now,
        )
    )


def write_rows(*rows: models.Model) -> None:
    """Rows that are new, all or none."""
    insert(*rows)


def send_again(subject: models.Model) -> OutboundMessage:
    """Settle an outcome that is not known: the very same bytes and ids go out once more, on commit.

    Raises TransitionRefused when nothing waits for that, or somebody else pressed first.
    """
    message = outbox.waiting_for_check(subject)
    if message is None or not delivery.queue_again(message):
        raise TransitionRefused("The message is not waiting for a check.")
    outbox.announce_on_commit(message)
    return message


def as_row(tracked: object) -> models.Model:
    if not isinstance(tracked, models.Model):
        raise TypeError("What is sent and received is kept here.")
    return tracked
