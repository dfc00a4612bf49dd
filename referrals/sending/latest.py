"""A request as its receiver holds it right now (standard section 8: before a cancel or update)."""

from datetime import datetime

from bars_portal.correspondence.entries import full_url
from bars_portal.correspondence.latest import Latest, LatestState, Reader
from bars_portal.exchange.fhir.bundle import MessageBundle, Resource
from bars_portal.exchange.fhir.codes import ServiceRequestStatus
from bars_portal.exchange.fhir.reading import as_dict, as_text
from bars_portal.exchange.transport.client import BarsClient
from directory.remote import Missing, SenderIdentity
from referrals.cases import wire
from referrals.cases.models import MODELS, Case
from referrals.cases.states import Category

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


def find_sent(category: Category, case_id: str, client: BarsClient, *, now: datetime) -> Resource | None:
    """After "duplicate": what the receiver holds, asked as whoever sent it. None when it cannot be read.

    A Bundle with the request first, and with the Encounters that a search brings.
    """
    case = MODELS[category].objects.select_related(*_RELATED).get(pk=case_id)
    found = _READER.find_sent(client, case, now=now)
    if found is None:
        return None
    around = [{"fullUrl": url, "resource": each} for url, each in found.around]
    return {"resourceType": "Bundle", "entry": [{"resource": found.resource}, *around]}


def is_taken_back(latest: Latest) -> bool:
    return latest.status in _TAKEN_BACK


def _is_current(request: Resource, case: Case) -> bool:
    return _version(request) == _version(case.resource)


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


_READER = Reader[Case](
    resource_type="ServiceRequest",
    action="referrals.read_latest",
    over=_TAKEN_BACK | {ServiceRequestStatus.COMPLETED},
    sentences=_SENTENCES,
    ours=_ours,
    is_current=_is_current,
    brings=frozenset({"Encounter"}),
)
