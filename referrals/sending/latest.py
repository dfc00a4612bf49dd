"""A request as its receiver holds it right now (standard section 8: before a cancel or update)."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from django.db import transaction

from bars_portal.audit.services import record
from bars_portal.correspondence.entries import clean, full_url
from bars_portal.correspondence.latest import patient_params
from bars_portal.exchange.fhir.bundle import MessageBundle, Resource
from bars_portal.exchange.fhir.reading import as_dict, as_text
from bars_portal.exchange.transport.client import BarsClient
from directory.remote import Missing, Params, SenderIdentity, Unreachable, ask
from directory.services.entries import record_contact, record_no_contact
from referrals.cases import wire
from referrals.cases.models import Case


class LatestState(StrEnum):
    """`sentence` is for the person who wants to change the request or take it back."""

    CURRENT = "current"
    CHANGED = "changed"
    OVER = "over"
    MISSING = "missing"
    UNREACHABLE = "unreachable"

    @property
    def sentence(self) -> str:
        return _SENTENCES[self]


_SENTENCES = {
    LatestState.CURRENT: "The service confirms this request as it is shown here.",
    LatestState.CHANGED: (
        "The service has a newer version of this request. Read what it answered before you go on."
    ),
    LatestState.OVER: "The service says that this request is over or already taken back.",
    LatestState.MISSING: "The service has no such request. Call the service before you do anything else.",
    LatestState.UNREACHABLE: (
        "The service did not show us the request, so nothing was changed. Try again, or call the service."
    ),
}
_TAKEN_BACK = ("revoked", "entered-in-error")


@dataclass(frozen=True)
class LatestRequest:
    """`resource` is the receiver's ServiceRequest, {} when missing or unreachable.

    `around` are the entries that came with it, [fullUrl, resource]: only a search brings any.
    """

    state: LatestState
    resource: dict[str, Any] = field(default_factory=dict, repr=False)
    around: tuple[tuple[str, dict[str, Any]], ...] = field(default=(), repr=False)

    @property
    def sentence(self) -> str:
        return self.state.sentence

    @property
    def is_taken_back(self) -> bool:
        return str(self.resource.get("status", "")) in _TAKEN_BACK

    @property
    def can_be_changed(self) -> bool:
        return self.state in (LatestState.CURRENT, LatestState.CHANGED)


_OVER = frozenset({"revoked", "entered-in-error", "completed"})


def read_latest(client: BarsClient, *, case: Case, sender: SenderIdentity, now: datetime) -> LatestRequest:
    """The receiver's current version of a request that we sent, compared with ours; recorded.

    Call it outside any transaction. Without the receiver's id it is searched by patient and told by our
    fullUrl or case number.
    """
    try:
        latest = _read(client, case, sender) if case.remote_id else _search(client, case, sender)
    except Missing:
        latest = LatestRequest(LatestState.MISSING)
    except Unreachable:
        latest = LatestRequest(LatestState.UNREACHABLE)
    _note(case, sender, latest, now)
    return latest


def _read(client: BarsClient, case: Case, sender: SenderIdentity) -> LatestRequest:
    resource = _ask(client, case, sender, f"/ServiceRequest/{case.remote_id}", [], "ServiceRequest")
    return LatestRequest(_state(resource, case), clean(resource))


def _search(client: BarsClient, case: Case, sender: SenderIdentity) -> LatestRequest:
    params = patient_params(case.patient)
    found = MessageBundle(_ask(client, case, sender, "/ServiceRequest", params, "Bundle:searchset"))
    ours = _ours(found, case)
    around = [(url, clean(each)) for url, each in found.entries if each["resourceType"] == "Encounter"]
    return LatestRequest(_state(ours, case), clean(ours), tuple(around))


def _state(resource: Resource, case: Case) -> LatestState:
    if as_text(resource.get("status")) in _OVER:
        return LatestState.OVER
    return LatestState.CURRENT if _version(resource) == _version(case.resource) else LatestState.CHANGED


def _version(resource: Resource) -> str:
    return as_text(as_dict(resource.get("meta")).get("versionId"))


def _ours(found: MessageBundle, case: Case) -> Resource:
    """By the fullUrl that we gave it, else by the case number of its Encounter. Raises Missing.

    A referral that takes another's place has the same case number: the fullUrl comes first.
    """
    requests = found.of_type("ServiceRequest")
    named = [each for each in requests if found.full_url_of(each) == full_url(case.pk)]
    ours = next(iter(named or [each for each in requests if _has_our_number(found, each, case)]), None)
    if ours is None:
        raise Missing
    return ours


def _has_our_number(found: MessageBundle, request: Resource, case: Case) -> bool:
    encounter = found.resolve(request.get("encounter"))
    return bool(case.case_number) and wire.identifier_of(encounter) == case.case_number


def _ask(
    client: BarsClient, case: Case, sender: SenderIdentity, path: str, params: Params, expected: str
) -> Resource:
    """Raises Missing and Unreachable."""
    return ask(
        client,
        sender=sender,
        service_id=case.service.service_id,
        correlation_id=case.correlation_id,
        path=path,
        params=params,
        expected=expected,
    )


@transaction.atomic
def _note(case: Case, sender: SenderIdentity, latest: LatestRequest, now: datetime) -> None:
    reached = latest.state is not LatestState.UNREACHABLE
    if reached:
        record_contact(service_id=case.service.service_id, now=now)
    else:
        record_no_contact(service_id=case.service.service_id, now=now)
    record(
        actor=sender.actor,
        action="referrals.read_latest",
        subject=case,
        outcome="done" if reached else "failed",
        detail={"state": latest.state.value},
        correlation_id=case.correlation_id,
        now=now,
    )
