"""Free slots of a service: asked for over the wire, read leniently, or why there are none (section 7)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid4, uuid5

from django.db import transaction

from bars_portal.audit.services import record
from bars_portal.correspondence.entries import full_url, with_references
from bars_portal.exchange.fhir import json, profiles
from bars_portal.exchange.fhir.bundle import MessageBundle, Resource
from bars_portal.exchange.fhir.codes import DeliveryChannel, Gender, SlotStatus
from bars_portal.exchange.fhir.identifiers import is_uuid
from bars_portal.exchange.fhir.json import (
    as_dict,
    as_list,
    as_text,
    codings,
    dicts,
    extension,
    references,
)
from bars_portal.exchange.fhir.people import name_of_person
from bars_portal.exchange.fhir.queries.services import SlotInclude
from bars_portal.exchange.transport.auth import NoCredentials, TokenRefused
from bars_portal.exchange.transport.client import BarsClient
from bars_portal.exchange.transport.headers import OutgoingContext
from bars_portal.exchange.transport.judgement import Delivery, Judgement, judge_answer
from bars_portal.http import Answer, TransportError
from bookings.mapping.completeness import (
    NotShown,
    contradicted,
    displayed,
    lack_of,
    lacks_details,
    not_shown,
    says_none,
)
from bookings.mapping.received import read_instant
from directory.models import HealthcareService
from directory.remote import Params, SenderIdentity, Unreachable, follow, reading_context
from directory.selectors.capability import agreed_version_with
from directory.services.entries import record_contact, record_no_contact

# A search asks the receiver for this many days; it may refuse more than 31 (standard section 7).
DAYS_SHOWN = 3
# How far ahead a person may look.
FURTHEST = timedelta(days=180)


class SlotProblem(StrEnum):
    """Why a search shows no slots; `sentence` is for the person who searched."""

    NONE_IN_RANGE = "none-in-range"
    UNREADABLE = "unreadable"
    NO_ANSWER = "no-answer"
    NO_BOOKINGS = "no-bookings"
    NOT_ON_NETWORK = "not-on-network"
    NOT_CONNECTED = "not-connected"
    REFUSED = "refused"

    @property
    def sentence(self) -> str:
        return _SENTENCES[self]


_SENTENCES = {
    SlotProblem.NONE_IN_RANGE: (
        "This service has no free slots at these times. Try other days, or another service."
    ),
    SlotProblem.UNREADABLE: (
        "This service answered, but none of its times can be shown. It may have free ones: phone it, or "
        "choose another service, and tell your IT support."
    ),
    SlotProblem.NO_ANSWER: "This service did not answer. Try again, or choose another service.",
    SlotProblem.NO_BOOKINGS: "This service does not take bookings. Choose another service.",
    SlotProblem.NOT_ON_NETWORK: (
        "This service is not on the booking network. Choose another service, and tell your IT support."
    ),
    SlotProblem.NOT_CONNECTED: (
        "Your organisation is not connected to the booking network, so no service was asked. Book by "
        "telephone, and tell your IT support."
    ),
    SlotProblem.REFUSED: (
        "This service refused to show its slots. Choose another service, and tell your IT support."
    ),
}


@dataclass(frozen=True)
class OfferedSlot:
    """A free slot as its receiver offered it; what was not given is "".

    `start` and `end` are aware. `delivery_channel`, `role` and `gender` are words for people. `resources` are
    the Slot and what it refers to, [[fullUrl, resource], ...], which the booking message carries along.
    """

    id: str
    start: datetime
    end: datetime
    practitioner_name: str = ""
    role: str = ""
    gender: str = ""
    delivery_channel: str = ""
    location_name: str = ""
    lacks_details: bool = False
    resources: list[list[Any]] = field(default_factory=list, repr=False)


@dataclass(frozen=True)
class SlotSearch:
    """Offers in order of time; `problem` is set when there are none.

    `not_shown`: what else the service has or may have. NONE_IN_RANGE only when it said so itself.
    """

    offers: list[OfferedSlot]
    problem: SlotProblem | None = None
    not_shown: tuple[NotShown, ...] = ()

    @property
    def without_details(self) -> int:
        """Offers of which the service left out whose or where they are."""
        return sum(each.lacks_details for each in self.offers)

    def offer(self, slot_id: str, start: datetime | None = None) -> OfferedSlot | None:
        """The offer with this Slot.id, when it is (still) among them, and then if it is named."""
        found = next((each for each in self.offers if each.id == slot_id), None)
        return found if found and start in (None, found.start) else None


INCLUDES = (
    SlotInclude.SCHEDULE,
    SlotInclude.PRACTITIONER,
    SlotInclude.PRACTITIONER_ROLE,
    SlotInclude.SERVICE,
    SlotInclude.LOCATION,
)
_UNKNOWN_PLACE = 404
# Receivers without slots answer so.
_NO_SUCH_OPERATION = frozenset({405, 501})


def search_slots(
    client: BarsClient,
    *,
    service: HealthcareService,
    start: datetime,
    end: datetime,
    sender: SenderIdentity,
    now: datetime,
) -> SlotSearch:
    """Free slots that start from `start` to `end` (aware, both included); never raises for what others do.

    Call it outside any transaction: it waits for the network. The search is recorded.
    """
    version = agreed_version_with(service, now=now)
    context = reading_context(sender, service.service_id, version=version)
    found = SlotSearch([], SlotProblem.NO_BOOKINGS)
    if service.active and service.takes_bookings:
        found = _ask(client, context, start, end)
    _note(service, sender, context.correlation_id, found, now)
    return found


def _ask(client: BarsClient, context: OutgoingContext, start: datetime, end: datetime) -> SlotSearch:
    """All pages of the answer, as far as they come; what the first one lacks, the search lacks."""

    def fetch(params: Params) -> Resource:
        # Each request has an id of its own (standard section 3).
        return _page(client, replace(context, request_id=uuid4()), params)

    try:
        found = follow("Slot", _params(context, start, end), fetch)
    except _NoPage as failed:
        return SlotSearch([], failed.problem)
    return read_answer(found.pages, is_cut=found.is_cut)


class _NoPage(Unreachable):
    def __init__(self, problem: SlotProblem) -> None:
        super().__init__()
        self.problem = problem


def _page(client: BarsClient, context: OutgoingContext, params: Params) -> Resource:
    """Raises _NoPage."""
    try:
        answer = client.get("/Slot", params=params, context=context)
    except NoCredentials:
        raise _NoPage(SlotProblem.NOT_CONNECTED) from None
    except TokenRefused:
        raise _NoPage(SlotProblem.REFUSED) from None
    except TransportError:
        raise _NoPage(SlotProblem.NO_ANSWER) from None
    judged = judge_answer(
        answer,
        request_id=context.request_id,
        correlation_id=context.correlation_id,
        expected="Bundle:searchset",
    )
    if judged.delivery is not Delivery.ACCEPTED:
        raise _NoPage(_problem(judged, answer))
    return json.loads(answer.body)


def _params(context: OutgoingContext, start: datetime, end: datetime) -> Params:
    return (
        ("Schedule.actor:HealthcareService", context.target.value),
        ("status", SlotStatus.FREE.value),
        ("start", f"ge{_utc(start)}"),
        ("start", f"le{_utc(end)}"),
        *(("_include", include.value) for include in INCLUDES),
    )


def _utc(moment: datetime) -> str:
    """Senders should speak UTC (api.md section 3)."""
    return moment.astimezone(UTC).isoformat(timespec="seconds")


def _problem(judged: Judgement, answer: Answer) -> SlotProblem:
    if judged.delivery is Delivery.UNKNOWN:
        return SlotProblem.NO_ANSWER
    if answer.status == _UNKNOWN_PLACE:
        return SlotProblem.NOT_ON_NETWORK
    return SlotProblem.NO_BOOKINGS if answer.status in _NO_SUCH_OPERATION else SlotProblem.REFUSED


@transaction.atomic
def _note(
    service: HealthcareService, sender: SenderIdentity, correlation_id: UUID, found: SlotSearch, now: datetime
) -> None:
    answered = found.problem in (None, SlotProblem.NONE_IN_RANGE, SlotProblem.UNREADABLE)
    if answered:
        record_contact(service_id=service.service_id, now=now)
    elif found.problem is SlotProblem.NO_ANSWER:
        record_no_contact(service_id=service.service_id, now=now)
    record(
        actor=sender.actor,
        action="bookings.search_slots",
        subject=service,
        outcome="done" if answered else "failed",
        detail={
            "offered": len(found.offers),
            "problem": found.problem.value if found.problem else None,
            "not_shown": ", ".join(each.lack for each in found.not_shown) or None,
        },
        correlation_id=correlation_id,
        now=now,
    )


# What a booking message carries along with its Slot, and how often its MessageDefinition lets it.
_CARRIED = {"Schedule": 1, "HealthcareService": 1, "Location": 1, "Practitioner": 9, "PractitionerRole": 9}
_URN = "urn:uuid:"
_WORDS = 120
_CHANNEL_WORDS = {DeliveryChannel.IN_PERSON: "In person"}


def read_answer(pages: Sequence[Resource], *, is_cut: bool = False) -> SlotSearch:
    """What a searchset of one or more pages offers, and what of it cannot be shown."""
    entries = [each for page in pages for each in as_list(page.get("entry"))]
    offers, missing = read_offers({"entry": entries}), not_shown(pages, is_cut=is_cut)
    if offers:
        return SlotSearch(offers, None, missing)
    none = says_none(pages, is_cut=is_cut)
    return SlotSearch([], SlotProblem.NONE_IN_RANGE if none else SlotProblem.UNREADABLE, missing)


def read_offers(raw: dict[str, Any]) -> list[OfferedSlot]:
    """The free slots of a searchset in order of time; what is not whole is no offer (see `lack_of`)."""
    bundle = MessageBundle(raw)
    slots = bundle.of_type("Slot")
    doubtful = contradicted(slots)
    diaries: dict[int, list[list[Any]]] = {}
    offers: dict[str, OfferedSlot] = {}
    for slot in slots:
        offer = _offer(bundle, slot, diaries)
        if offer is not None and offer.id not in doubtful:
            offers.setdefault(offer.id, offer)
    return sorted(offers.values(), key=lambda each: (each.start, each.id))


def _offer(bundle: MessageBundle, slot: Resource, diaries: dict[int, list[list[Any]]]) -> OfferedSlot | None:
    start, end = read_instant(slot.get("start")), read_instant(slot.get("end"))
    free = as_text(slot.get("status")) == SlotStatus.FREE
    if not free or lack_of(slot) is not None or start is None or end is None:
        return None
    around = _diary(bundle, bundle.resolve(slot.get("schedule")), diaries)
    carried = [each for _, each in around]
    practitioner = _first(carried, "Practitioner")
    return OfferedSlot(
        id=as_text(slot.get("id")),
        start=start,
        end=end,
        practitioner_name=_words(name_of_person(practitioner, start))
        or _words(displayed(bundle, slot, "Practitioner")),
        role=_role(_first(carried, "PractitionerRole")),
        gender=_gender(practitioner),
        delivery_channel=_channel(slot),
        location_name=_words(_first(carried, "Location").get("name") or displayed(bundle, slot, "Location")),
        lacks_details=lacks_details(bundle, slot),
        resources=[[_url(bundle, slot), _portable(bundle, slot, {id(slot)}, around)], *around],
    )


def _diary(
    bundle: MessageBundle, schedule: Resource | None, diaries: dict[int, list[list[Any]]]
) -> list[list[Any]]:
    """The Schedule and all that it refers to, made portable; once for all of its slots."""
    if schedule is None:
        return []
    if id(schedule) not in diaries:
        found = list(_reached(bundle, schedule))
        kept = {id(each) for each in found}
        diaries[id(schedule)] = [[_url(bundle, each), _portable(bundle, each, kept, [])] for each in found]
    return diaries[id(schedule)]


def _reached(bundle: MessageBundle, schedule: Resource) -> Iterator[Resource]:
    room = dict(_CARRIED)
    seen: set[int] = set()
    waiting = [schedule]
    while waiting:
        each = waiting.pop(0)
        kind = as_text(each.get("resourceType"))
        if id(each) in seen or not room.get(kind):
            continue
        seen.add(id(each))
        room[kind] -= 1
        yield each
        waiting += [target for ref in references(each) if (target := bundle.resolve(ref)) is not None]


def _portable(bundle: MessageBundle, resource: Resource, kept: set[int], around: list[list[Any]]) -> Resource:
    """A copy whose references resolve in our own message; those to anything left behind are dropped."""
    urls = {url for url, _ in around}

    def rename(text: str) -> str | None:
        target = bundle.resolve(text)
        url = _url(bundle, target) if target is not None else None
        return url if target is not None and (id(target) in kept or url in urls) else None

    copied: Resource = with_references(resource, rename)
    return copied


def _url(bundle: MessageBundle, resource: Resource) -> str:
    """Its own fullUrl when that is a UUID, else one made from it: ours must be UUIDs."""
    url = bundle.full_url_of(resource)
    if url.startswith(_URN) and is_uuid(url[len(_URN) :]):
        return url
    name = url or f"{resource.get('resourceType')}/{resource.get('id')}"
    return full_url(uuid5(NAMESPACE_URL, name))


def _first(resources: list[Resource], kind: str) -> Resource:
    return next((each for each in resources if each.get("resourceType") == kind), {})


def _words(value: object) -> str:
    return " ".join(as_text(value).split())[:_WORDS]


def _role(role: Resource) -> str:
    concept = as_dict(next(dicts(role.get("code")), {}))
    return _words(concept.get("text")) or next((_words(each.get("display")) for each in codings(concept)), "")


def _gender(practitioner: Resource) -> str:
    known = Gender.lookup(practitioner.get("gender"))
    return known.display if known and known is not Gender.UNKNOWN else ""


def _channel(slot: Resource) -> str:
    """Only when known, and only in words that we know."""
    known = DeliveryChannel.lookup(extension(slot, profiles.EXTENSION_DELIVERY_CHANNEL).get("valueCode"))
    return _CHANNEL_WORDS.get(known, known.display) if known else ""
