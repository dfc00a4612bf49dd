"""Reading back from the service that holds it what we sent, before it is changed (standard section 8)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Generic, Protocol, TypeVar
from uuid import UUID

from django.db import transaction

from bars_portal.audit.actor import Actor
from bars_portal.audit.services import record
from bars_portal.correspondence.entries import Entry, clean
from bars_portal.correspondence.history import as_row
from bars_portal.exchange import outbox
from bars_portal.exchange.fhir.bundle import MessageBundle, Resource
from bars_portal.exchange.fhir.identifiers import NHS_NUMBER_SYSTEM
from bars_portal.exchange.fhir.json import as_text
from bars_portal.exchange.transport.client import BarsClient
from bars_portal.patients.models import Patient
from directory.models import HealthcareService
from directory.remote import Missing, Params, SenderIdentity, Unreachable, ask, identity_of, search
from directory.services.entries import record_contact, record_no_contact


class LatestState(StrEnum):
    """What the holder's version is beside ours."""

    CURRENT = "current"
    CHANGED = "changed"
    OVER = "over"
    MISSING = "missing"
    UNREACHABLE = "unreachable"


@dataclass(frozen=True)
class Latest:
    """`sentence` is for the person who wants to change it. `resource`: the holder's, {} when there is none.

    `around` are the entries that came with it: only a search brings any.
    """

    state: LatestState
    sentence: str
    resource: Resource = field(default_factory=dict, repr=False)
    around: tuple[Entry, ...] = field(default=(), repr=False)

    @property
    def status(self) -> str:
        """ "" when not known."""
        return as_text(self.resource.get("status"))

    @property
    def can_be_changed(self) -> bool:
        return self.state in (LatestState.CURRENT, LatestState.CHANGED)


class Held(Protocol):
    """A booking or a case that we sent."""

    @property
    def remote_id(self) -> str: ...
    @property
    def service(self) -> HealthcareService: ...
    @property
    def patient(self) -> Patient: ...
    @property
    def correlation_id(self) -> UUID: ...


H = TypeVar("H", bound=Held)


@dataclass(frozen=True)
class Reader(Generic[H]):
    """How one kind of thing is read back, and what a person is told of it."""

    resource_type: str
    # The audit event.
    action: str
    # Statuses after which nothing can be changed.
    over: frozenset[str]
    sentences: Mapping[LatestState, str]
    # Ours among what a search found. Raises Missing.
    ours: Callable[[MessageBundle, H], Resource]
    is_current: Callable[[Resource, H], bool]
    # Resource types that a search brings along.
    brings: frozenset[str] = frozenset()

    def read(self, client: BarsClient, held: H, *, sender: SenderIdentity, now: datetime) -> Latest:
        """The holder's current version compared with ours; recorded. Call it outside any transaction.

        Without the holder's id it is searched by patient.
        """
        try:
            latest = self._ask(client, held, sender) if held.remote_id else self._search(client, held, sender)
        except Missing:
            latest = self._latest(LatestState.MISSING)
        except Unreachable:
            latest = self._latest(LatestState.UNREACHABLE)
        self._note(held, sender, latest, now)
        return latest

    def read_back(self, client: BarsClient, held: H, *, now: datetime) -> Latest | None:
        """The same as whoever sent the newest message about it. None when nothing could be read.

        MISSING is the holder's own word for it here, never the lack of an answer.
        """
        message = outbox.latest_for(as_row(held))
        if message is None or not (held.remote_id or _can_be_searched(held.patient)):
            return None
        sender = identity_of(Actor(message.actor_label, message.actor_user_id, message.organisation_id))
        latest = self.read(client, held, sender=sender, now=now)
        other = held.remote_id and as_text(latest.resource.get("id")) not in ("", held.remote_id)
        return None if other or latest.state is LatestState.UNREACHABLE else latest

    def _ask(self, client: BarsClient, held: H, sender: SenderIdentity) -> Latest:
        path = f"/{self.resource_type}/{held.remote_id}"
        resource = ask(
            client,
            sender=sender,
            service_id=held.service.service_id,
            correlation_id=held.correlation_id,
            path=path,
            expected=self.resource_type,
        )
        return self._judged(resource, held)

    def _search(self, client: BarsClient, held: H, sender: SenderIdentity) -> Latest:
        params = patient_params(held.patient)
        try:
            pages = search(
                client,
                sender=sender,
                service_id=held.service.service_id,
                correlation_id=held.correlation_id,
                resource_type=self.resource_type,
                params=params,
            )
        except Missing:
            # A search that finds nothing is an empty Bundle: 404 says that there is no such search.
            raise Unreachable from None
        found = MessageBundle(pages.bundle)
        around = [(url, clean(each)) for url, each in found.entries if each["resourceType"] in self.brings]
        try:
            latest = self._judged(self.ours(found, held), held, tuple(around))
        except Missing:
            if pages.is_cut:
                raise Unreachable from None
            raise
        if pages.is_cut and latest.state is LatestState.OVER:
            # The one that stands may be among what did not come.
            raise Unreachable
        return latest

    def _judged(self, resource: Resource, held: H, around: tuple[Entry, ...] = ()) -> Latest:
        if as_text(resource.get("status")) in self.over:
            state = LatestState.OVER
        else:
            state = LatestState.CURRENT if self.is_current(resource, held) else LatestState.CHANGED
        return self._latest(state, clean(resource), around)

    def _latest(
        self, state: LatestState, resource: Resource | None = None, around: tuple[Entry, ...] = ()
    ) -> Latest:
        return Latest(state, self.sentences[state], resource or {}, around)

    @transaction.atomic
    def _note(self, held: H, sender: SenderIdentity, latest: Latest, now: datetime) -> None:
        reached = latest.state is not LatestState.UNREACHABLE
        note = record_contact if reached else record_no_contact
        note(service_id=held.service.service_id, now=now)
        record(
            actor=sender.actor,
            action=self.action,
            subject=as_row(held),
            outcome="done" if reached else "failed",
            detail={"state": latest.state.value},
            correlation_id=held.correlation_id,
            now=now,
        )


def patient_params(patient: Patient) -> Params:
    """A search by NHS number, else by name, birth date and postcode. Raises Missing when neither is known."""
    if number := next((each.value for each in patient.numbers if each.verified), ""):
        return [("patient:identifier", f"{NHS_NUMBER_SYSTEM}|{number}")]
    name = patient.family_name or patient.given_names
    if not (name and patient.born and patient.postcode):
        raise Missing
    return [
        ("patient:name", name),
        ("patient:birthdate", f"eq{patient.born}"),
        ("patient:address-postalcode", patient.postcode),
    ]


def _can_be_searched(patient: Patient) -> bool:
    try:
        return bool(patient_params(patient))
    except Missing:
        return False
