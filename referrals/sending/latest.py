"""A request as its receiver holds it right now (standard section 8: before a cancel or update)."""

from dataclasses import replace
from datetime import datetime

from bars_portal.correspondence.entries import full_url
from bars_portal.correspondence.latest import Latest, LatestState, Reader
from bars_portal.correspondence.states import Direction
from bars_portal.exchange.fhir.bundle import MessageBundle, Resource
from bars_portal.exchange.fhir.codes import ServiceRequestStatus
from bars_portal.exchange.fhir.json import as_dict, as_text, references
from bars_portal.exchange.registry import ReadBack
from bars_portal.exchange.transport.client import BarsClient
from directory.remote import Missing, SenderIdentity
from referrals.cases import wire
from referrals.cases.models import MODELS, Case
from referrals.cases.states import Category

STANDS = (ServiceRequestStatus.ACTIVE, ServiceRequestStatus.ON_HOLD, ServiceRequestStatus.COMPLETED)
_TAKEN_BACK = frozenset({ServiceRequestStatus.REVOKED, ServiceRequestStatus.ENTERED_IN_ERROR})
_RELATED = ("service__provider", "journey", "patient", "organisation")
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


def read_latest(client: BarsClient, *, case: Case, sender: SenderIdentity, now: datetime) -> Latest:
    """The receiver's current version of a request that we sent, compared with ours; recorded.

    Call it outside any transaction. Without the receiver's id it is searched by patient and told by our
    fullUrl or case number.
    """
    return _READER.read(client, case, sender=sender, now=now)


def read_back_new(category: Category, case_id: str, client: BarsClient, *, now: datetime) -> ReadBack:
    """Whether the receiver holds what we asked of it, read as whoever sent it."""
    case, latest = _read_back(category, case_id, client, now)
    if latest is None or (latest.state is LatestState.MISSING and case.remote_id):
        return ReadBack()
    if latest.state is LatestState.MISSING:
        return ReadBack(was_applied=False)
    known = _stands(latest) or is_taken_back(latest)
    return ReadBack(was_applied=True, found=_found(latest)) if known else ReadBack()


def read_back_end(category: Category, case_id: str, client: BarsClient, *, now: datetime) -> ReadBack:
    """Whether it is taken back there. What is not shown at all may be taken back, or not."""
    _, latest = _read_back(category, case_id, client, now)
    if latest is None:
        return ReadBack()
    if is_taken_back(latest):
        return ReadBack(was_applied=True, found=_found(latest))
    return ReadBack(was_applied=False) if _stands(latest) else ReadBack()


def read_back_update(category: Category, case_id: str, client: BarsClient, *, now: datetime) -> ReadBack:
    """Whether the receiver's request is what our update says, or another version than before it."""
    case, latest = _read_back(category, case_id, client, now)
    if latest is None or latest.state is LatestState.MISSING or case.pending is None:
        return ReadBack()
    told, held = case.pending["resource"], latest.resource
    if is_taken_back(latest):
        # Whatever became of the update: that it is over there is what has to be known.
        return ReadBack(was_applied=True, found=_found(latest))
    before, after = case.pending.get("seen_version", ""), version_of(held)
    changes_request = not _shows(case.resource, told)
    if _shows(held, told) and (changes_request or (before and after and before != after)):
        return ReadBack(was_applied=True, found=_found(latest))
    if (before and before == after) or (changes_request and _shows(held, case.resource)):
        return ReadBack(was_applied=False)
    return ReadBack(found=_found(latest))


def _read_back(
    category: Category, case_id: str, client: BarsClient, now: datetime
) -> tuple[Case, Latest | None]:
    case = MODELS[category].objects.select_related(*_RELATED).get(pk=case_id)
    return case, _ONLY_THIS.read_back(client, case, now=now)


def _found(latest: Latest) -> Resource:
    """A Bundle with the request first, and with the Encounters that a search brings."""
    around = [{"fullUrl": url, "resource": each} for url, each in latest.around]
    return {"resourceType": "Bundle", "entry": [{"resource": latest.resource}, *around]}


def _shows(held: Resource, told: Resource) -> bool:
    """Whether a request says all that was told, but for stamps, ids and what it refers to: a holder's own."""
    plain = {name: value for name, value in wire.bare(told).items() if not any(references(value))}
    return all(held.get(name) == value for name, value in plain.items())


def _stands(latest: Latest) -> bool:
    return latest.status in STANDS


def is_taken_back(latest: Latest) -> bool:
    return latest.status in _TAKEN_BACK


def _is_current(request: Resource, case: Case) -> bool:
    return version_of(request) == version_of(case.resource)


def version_of(resource: Resource) -> str:
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


_READER = Reader[Case](
    resource_type="ServiceRequest",
    action="referrals.read_latest",
    over=_TAKEN_BACK | {ServiceRequestStatus.COMPLETED},
    sentences=_SENTENCES,
    ours=_ours,
    is_current=_is_current,
    brings=frozenset({"Encounter"}),
)


def _ours_alone(found: MessageBundle, case: Case) -> Resource:
    """Another case of ours, which may have the same number, proves nothing. Raises Missing."""
    others = type(case).objects.filter(service=case.service, direction=Direction.SENT).exclude(pk=case.pk)
    ids = {as_text(each.get("id")) for each in found.of_type("ServiceRequest")} - {""}
    known = set(others.filter(remote_id__in=ids).values_list("remote_id", flat=True))
    entries = [(url, each) for url, each in found.entries if as_text(each.get("id")) not in known]
    return _ours(wire.index_of(entries), case)


_ONLY_THIS = replace(_READER, ours=_ours_alone)
