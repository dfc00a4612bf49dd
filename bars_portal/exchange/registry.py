"""Message types, resource readers and ports: the rooms above plug their meaning into the exchange here.

With it what a message or a read comes with: who asks, on whose behalf, in which conversation.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from importlib import import_module
from importlib.util import find_spec
from pkgutil import iter_modules
from typing import Any, ClassVar, Protocol, TypeVar
from uuid import UUID

from django.apps import apps
from django.core.exceptions import ImproperlyConfigured
from django.db import models
from django.db.models import Model

from bars_portal.audit.actor import Actor
from bars_portal.exchange.fhir.access import Caller
from bars_portal.exchange.fhir.bundle import MessageBundle, Rendered, Resource
from bars_portal.exchange.fhir.codes import MessageEvent, MessageReason, UseCase
from bars_portal.exchange.fhir.identifiers import InvalidIdentifier, ServiceID, UnknownTarget
from bars_portal.exchange.fhir.outcomes import Issue, ReadIssue
from bars_portal.exchange.fhir.rules import HostedService, WorkflowRow
from bars_portal.exchange.fhir.rules.table import overlap
from bars_portal.exchange.models import NEVER_SENT
from bars_portal.exchange.transport.client import BarsClient
from bars_portal.exchange.transport.judgement import Delivery
from bars_portal.ports import Port


@dataclass(frozen=True)
class MessageContext:
    """An accepted-so-far incoming message; `inbound_id` is its row in the message log.

    `is_new_conversation` is a good guess that nothing of it is stored: what breaks a unique constraint
    because of it is applied again, without the guess (ADR 0012).
    """

    inbound_id: UUID
    request_id: UUID
    correlation_id: UUID
    service: HostedService
    source: ServiceID | None
    sender_ods_code: str
    sender_name: str
    received_at: datetime
    actor: Actor
    is_new_conversation: bool = False


@dataclass(frozen=True)
class ReadContext:
    """An incoming GET. `target` is None when the header was not sent: then nothing is left out.

    `action` and `detail` are what the audit trail says of it. A reader adds to `opened` each record of ours
    that it comes to, before it judges access: the trail tells the organisation that the record belongs to.
    """

    request_id: UUID
    correlation_id: UUID
    target: ServiceID | UnknownTarget | None
    caller: Caller
    received_at: datetime
    actor: Actor
    action: str = "exchange.read"
    detail: Mapping[str, str | int | None] = field(default_factory=dict)
    opened: list[Model] = field(default_factory=list)

    def reaches(self, service_id: str) -> bool:
        """Whether what a service holds may be found: it is the target, or none was named."""
        return self.target is None or self.target.value == service_id


@dataclass(frozen=True)
class ServiceSaid:
    """What a service says of itself, for staff: (aspect, words), when it was read, and how it changed."""

    read_at: datetime | None = None
    stated: Sequence[tuple[str, str]] = ()
    changes: Sequence[tuple[datetime, Sequence[str]]] = ()


class Services(Protocol):
    """What the exchange asks of the directory: services that we answer for, and those that messages go to."""

    def hosted(self, service_id: ServiceID, *, closed: bool = False) -> HostedService | None:
        """What the rules need to know of a service of ours; None when it is not hosted here.

        Nor when it is not active, unless `closed` ones are asked for too.
        """

    def provided_by(self, organisation_id: int) -> Sequence[str]:
        """The service ids of one organisation."""

    def names(self, service_ids: Iterable[str]) -> Mapping[str, str]:
        """Of those that are in the directory."""

    def said(self, service_id: str) -> ServiceSaid:
        """Its own word on what it takes, as it was last read."""

    def agreed_version(self, service_id: ServiceID, *, now: datetime) -> str:
        """The highest version of the standard that both sides know; "" when that is not known."""

    def note_contact(self, service_id: ServiceID, *, answered: bool, now: datetime) -> None:
        """Whether the service answered just now."""


services = Port[Services]("which services there are")


def owner_of(service_id: ServiceID | UnknownTarget | str | None) -> int | None:
    """The primary key of the organisation whose service of ours it is, open or closed; None when it is none.

    Raises DatabaseError.
    """
    with suppress(InvalidIdentifier):
        wanted = ServiceID.parse(service_id) if isinstance(service_id, str) else service_id
        if isinstance(wanted, ServiceID) and (found := services.provider.hosted(wanted, closed=True)):
            return found.organisation_id
    return None


@dataclass(frozen=True)
class Addressing:
    """Where a message we send goes to, and in which conversation."""

    service_id: ServiceID
    correlation_id: UUID
    use_case: UseCase
    category: str


@dataclass(frozen=True)
class Applied:
    """What an applied message answers with: the focus and what belongs to it, as (fullUrl, resource).

    `answer` is the whole reply, when it was needed for what is kept.
    """

    focus: tuple[str, Resource]
    included: Sequence[tuple[str, Resource]] = ()
    answer: dict[str, Any] | None = None


@dataclass(frozen=True)
class Refusal:
    """A message that is refused although what was written about it stays, such as a case's history."""

    issues: tuple[Issue, ...]


@dataclass(frozen=True)
class Outcome:
    """How a message we sent ended, or that we do not know.

    `reply` is the receiver's Bundle. `found` is what a read brought when the message had been applied before,
    but its answer was lost. `reason` is a word of transport.judgement or fhir.replies, with what a read says.
    `next_attempt_at`: unknown, and it goes out again by itself then; None when it is up to a person.
    """

    delivery: Delivery
    reason: str
    reply: MessageBundle | None = None
    found: Resource | None = None
    issues: tuple[ReadIssue, ...] = ()
    next_attempt_at: datetime | None = None
    # It had been given up, and people were told so.
    is_late: bool = False

    @property
    def never_sent(self) -> bool:
        """Its deadline came before it ever went out."""
        return self.reason == NEVER_SENT


@dataclass(frozen=True)
class ReadBack:
    """What a read shows of a message without a sure answer.

    `was_applied` is None when the read failed, or leaves it open. `found`: what is held there, when it was
    applied, or when a receiver that says so is not contradicted by it.
    """

    was_applied: bool | None = None
    found: Resource | None = field(default=None, repr=False)


class MessageType(ABC):
    """One row of the workflow table (standard section 6), with all that happens to such messages."""

    key: ClassVar[str]
    label: ClassVar[str]
    event: ClassVar[MessageEvent]
    reasons: ClassVar[frozenset[MessageReason]]
    focus_type: ClassVar[str]
    focus_statuses: ClassVar[frozenset[str]]
    categories: ClassVar[frozenset[str]] = frozenset()
    definition: ClassVar[str]
    # The complete row (exchange.fhir.rules.table); it fills the seven attributes above, all but the label.
    workflow: ClassVar[WorkflowRow | None] = None
    # Its Bundle.id may not come again in another message (standard section 5).
    starts_conversation: ClassVar[bool] = False
    # How long it is tried: after that people are told that it is given up.
    tried_for: ClassVar[timedelta] = timedelta(hours=2)

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        row = cls.__dict__.get("workflow")
        if row is not None:
            cls.key, cls.event = row.message_key, MessageEvent(row.event)
            cls.reasons = frozenset(map(MessageReason, row.reasons))
            cls.focus_type, cls.focus_statuses = row.focus_type, row.focus_statuses
            cls.categories, cls.definition = row.categories, row.definition

    # -- sending
    def addressing(self, subject: models.Model) -> Addressing:
        raise NotImplementedError(f"{self.key} is received only")

    def build(self, subject: models.Model, *, bundle_id: UUID, now: datetime) -> dict[str, Any]:
        """The Bundle, as a dict. Pure but for reads of the subject."""
        raise NotImplementedError(f"{self.key} is received only")

    def handle_reply(self, subject_id: str, outcome: Outcome, *, actor: Actor, now: datetime) -> None:
        """Apply the outcome to the subject, inside the transaction that settles the delivery."""
        raise NotImplementedError(f"{self.key} is received only")

    def abandon_at(self, subject: models.Model, *, now: datetime) -> datetime:
        """When a message that is written now is given up, unless its fate is known by then."""
        return now + self.tried_for

    def withdraw(self, subject_id: str, *, actor: Actor, now: datetime) -> bool:
        """Before a repeat, in a transaction: True when something else has settled it and nobody wants it
        sent any more; what the subject says of it is put right.
        """
        return False

    def read_back(self, subject_id: str, client: BarsClient, *, now: datetime) -> ReadBack | None:
        """Outside any transaction: whether the other side has applied it (standard section 12, "Outcomes").

        None when such messages cannot be read: a refusal that may not be final then stays unknown.
        """
        return None

    # -- receiving
    @abstractmethod
    def parse(self, bundle: MessageBundle, *, now: datetime) -> Any:
        """The message as our own frozen type; of several names, those of `now`. Raises OutcomeError."""

    @abstractmethod
    def apply(self, parsed: Any, context: MessageContext) -> Applied | Refusal:
        """Do it, inside the caller's transaction. Raises OutcomeError: everything is rolled back."""

    def row(self) -> WorkflowRow:
        return self.workflow or WorkflowRow(
            event=self.event,
            reasons=self.reasons,
            focus_type=self.focus_type,
            focus_statuses=self.focus_statuses,
            categories=self.categories,
            definition=self.definition,
            message_key=self.key,
        )


class ResourceReader(ABC):
    """Answers the receiver's GETs for one resource type (standard section 7)."""

    resource_type: ClassVar[str]
    # Whether `GET <type>/<id>` is served too; then `read` is.
    by_id: ClassVar[bool] = True

    def read(self, resource_id: UUID, context: ReadContext) -> Resource | None:
        """The current version, or None when we hold no such resource."""
        return None

    @abstractmethod
    def search(self, params: Sequence[tuple[str, str]], context: ReadContext) -> dict[str, Any] | Rendered:
        """A searchset Bundle, as a dict. Raises OutcomeError.

        Or as finished JSON, by a reader that has put the read on the audit trail itself.
        """


@dataclass
class _Registry:
    messages: dict[str, MessageType] = field(default_factory=dict)
    readers: dict[str, ResourceReader] = field(default_factory=dict)


_registry = _Registry()

M = TypeVar("M", bound=type[MessageType])
R = TypeVar("R", bound=type[ResourceReader])


def register_message(cls: M) -> M:
    """Class decorator. Raises ImproperlyConfigured on a duplicate key or an already owned combination."""
    for other in _registry.messages.values():
        if other.key == cls.key or overlap(other.row(), cls().row()):
            raise ImproperlyConfigured(f"Message types {other.key} and {cls.key} overlap.")
    _registry.messages[cls.key] = cls()
    return cls


def register_reader(cls: R) -> R:
    if cls.resource_type in _registry.readers:
        raise ImproperlyConfigured(f"{cls.resource_type} has two readers.")
    _registry.readers[cls.resource_type] = cls()
    return cls


def message_type(key: str) -> MessageType:
    return _registry.messages[key]


def message_types() -> list[MessageType]:
    return list(_registry.messages.values())


def workflow_rows() -> list[WorkflowRow]:
    return [message.row() for message in _registry.messages.values()]


def readers() -> list[ResourceReader]:
    return list(_registry.readers.values())


def autodiscover() -> None:
    """Import every app's messages and resources, once, when all models are ready."""
    for config in apps.get_app_configs():
        for module in _plugin_modules(config.name):
            import_module(module)


def _plugin_modules(app: str) -> Iterator[str]:
    for package in (f"{app}.messages", f"{app}.resources"):
        if find_spec(package) is not None:
            yield package
            yield from (
                f"{package}.{found.name}"
                for found in iter_modules(getattr(import_module(package), "__path__", ()))
            )
