"""What an answer to a slot search offers, and what of it cannot be shown (standard section 7). Pure.

It is read leniently, but nothing is guessed about a time. What a person is shown beside the times says how
many are missing.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from bars_portal.correspondence.entries import full_url, with_references
from bars_portal.exchange.fhir import profiles
from bars_portal.exchange.fhir.bundle import MessageBundle, Resource
from bars_portal.exchange.fhir.codes import DeliveryChannel, Gender, SlotStatus
from bars_portal.exchange.fhir.identifiers import is_uuid
from bars_portal.exchange.fhir.people import name_of_person
from bars_portal.exchange.fhir.reading import (
    as_dict,
    as_list,
    as_text,
    codings,
    dicts,
    extension,
    references,
)
from bookings.mapping.received import read_instant


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


# What a booking message carries along with its Slot, and how often its MessageDefinition lets it.
_CARRIED = {"Schedule": 1, "HealthcareService": 1, "Location": 1, "Practitioner": 9, "PractitionerRole": 9}
_URN = "urn:uuid:"
_WORDS = 120
_CHANNEL_WORDS = {DeliveryChannel.IN_PERSON: "In person"}


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


# -- whether the answer is all of it: what cannot be shown, and why

ID_LENGTH = 64


class Lack(StrEnum):
    """Why a time of an answer cannot be shown: what is the matter with its slot."""

    FORM = "form"
    STATUS = "status"
    ID = "id"
    TIMES = "times"
    OFFSET = "offset"
    ORDER = "order"
    TWICE = "twice"
    NOT_SENT = "not-sent"


@dataclass(frozen=True)
class NotShown:
    """So many times for one reason; None: the service did not say how many."""

    lack: Lack
    count: int | None


def lack_of(slot: Resource) -> Lack | None:
    """Why the slot cannot be offered although it may be free; None for a whole one, and for a taken one."""
    status = SlotStatus.lookup(slot.get("status"))
    if status is None:
        return Lack.STATUS
    if status is not SlotStatus.FREE:
        return None
    if not 0 < len(as_text(slot.get("id"))) <= ID_LENGTH:
        return Lack.ID
    if not (as_text(slot.get("start")) and as_text(slot.get("end"))):
        return Lack.TIMES
    start, end = read_instant(slot["start"]), read_instant(slot["end"])
    if start is None or end is None:
        return Lack.OFFSET
    return Lack.ORDER if end <= start else None


def contradicted(slots: Iterable[Resource]) -> set[str]:
    """The ids under which an answer has several different slots: any of them may be the wrong one."""
    said: dict[str, set[tuple[object, ...]]] = {}
    for each in slots:
        times = (read_instant(each.get("start")), read_instant(each.get("end")))
        said.setdefault(as_text(each.get("id")), set()).add((*times, as_text(each.get("status"))))
    return {ident for ident, ways in said.items() if ident and len(ways) > 1}


def not_shown(pages: Sequence[Resource], *, is_cut: bool) -> tuple[NotShown, ...]:
    """What is missing of an answer of so many pages; `is_cut`: there are more pages, which did not come."""
    entries = [each for page in pages for each in as_list(page.get("entry"))]
    slots = list(_slots(entries))
    doubtful = contradicted(slots)
    sure = (each for each in slots if as_text(each.get("id")) not in doubtful)
    lacks = Counter(lack for each in sure if (lack := lack_of(each)) is not None)
    lacks[Lack.TWICE] = len(doubtful)
    lacks[Lack.FORM] = sum(map(_is_unreadable, entries))
    missing = _total(pages[0]) - _distinct(slots) - lacks[Lack.FORM]
    # Some count everything in the Bundle instead of the slots.
    if missing > 0 and _total(pages[0]) != len(entries):
        lacks[Lack.NOT_SENT] = missing
    found = [NotShown(lack, lacks[lack]) for lack in Lack if lacks[lack]]
    if not lacks[Lack.NOT_SENT] and (is_cut or any(map(_says_incomplete, entries))):
        found.append(NotShown(Lack.NOT_SENT, None))
    return tuple(found)


def says_none(pages: Sequence[Resource], *, is_cut: bool) -> bool:
    """Whether the service itself said that nothing is free: nothing came, or only what is taken."""
    entries = [each for page in pages for each in as_list(page.get("entry"))]
    empty = all("entry" not in page or page["entry"] == [] for page in pages)
    stated = type(pages[0].get("total")) is int and pages[0]["total"] == 0
    whole = not not_shown(pages, is_cut=is_cut)
    return whole and (empty or stated or any(True for _ in _slots(entries)))


def lacks_details(bundle: MessageBundle, slot: Resource) -> bool:
    """Whether its diary did not come with it, or a person or place that the diary only refers to.

    The service itself is in our own directory.
    """
    schedule = bundle.resolve(slot.get("schedule"))
    return schedule is None or any(
        bundle.resolve(each) is None
        and not as_text(each.get("display"))
        and not _is(each, "HealthcareService")
        for each in references(schedule.get("actor"))
    )


def displayed(bundle: MessageBundle, slot: Resource, kind: str) -> str:
    """What its diary calls an actor of this kind that did not come with it; "" when it says nothing."""
    actors = references(as_dict(bundle.resolve(slot.get("schedule"))).get("actor"))
    absent = (each for each in actors if _is(each, kind) and bundle.resolve(each) is None)
    return next((as_text(each.get("display")) for each in absent), "")


def _is(reference: Resource, kind: str) -> bool:
    return reference.get("type") == kind or f"/{reference['reference']}".rpartition("/")[0].endswith(
        f"/{kind}"
    )


def _slots(entries: Iterable[Any]) -> Iterator[Resource]:
    for each in entries:
        resource = as_dict(as_dict(each).get("resource"))
        if resource.get("resourceType") == "Slot":
            yield resource


def _is_unreadable(entry: Any) -> bool:
    """No resource at all where a slot was to be."""
    mode = as_dict(as_dict(entry).get("search")).get("mode", "match")
    kind = as_text(as_dict(as_dict(entry).get("resource")).get("resourceType"))
    return not kind and mode == "match"


def _says_incomplete(entry: Any) -> bool:
    outcome = as_dict(as_dict(entry).get("resource"))
    issues = list(dicts(outcome.get("issue"))) if outcome.get("resourceType") == "OperationOutcome" else []
    return any(
        each.get("severity") in ("error", "fatal") or each.get("code") == "incomplete" for each in issues
    )


def _total(page: Resource) -> int:
    total = page.get("total")
    return total if type(total) is int else 0


def _distinct(slots: Sequence[Resource]) -> int:
    """The same slot on two pages is one; slots without an id are told by nothing."""
    named = {ident for each in slots if (ident := as_text(each.get("id")))}
    return len(named) + sum(not as_text(each.get("id")) for each in slots)
