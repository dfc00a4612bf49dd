"""Another receiver's slot answer as offers: leniently, since nobody checked it for us."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from bars_portal.correspondence.entries import full_url, with_references
from bars_portal.exchange.fhir import profiles
from bars_portal.exchange.fhir.bundle import MessageBundle, Resource
from bars_portal.exchange.fhir.codes import DeliveryChannel, Gender, SlotStatus
from bars_portal.exchange.fhir.identifiers import is_uuid
from bars_portal.exchange.fhir.reading import as_dict, as_list, as_text, codings, dicts, extension, references
from bars_portal.exchange.fhir.timestamps import InvalidInstant, parse_instant
from bookings.offers import OfferedSlot

# What a booking message carries along with its Slot, and how often its MessageDefinition lets it.
_CARRIED = {"Schedule": 1, "HealthcareService": 1, "Location": 1, "Practitioner": 9, "PractitionerRole": 9}
_URN = "urn:uuid:"
_ID_LENGTH = 64
_WORDS = 120
_CHANNEL_WORDS = {DeliveryChannel.IN_PERSON: "In person"}


def read_offers(raw: dict[str, Any]) -> list[OfferedSlot]:
    """The free slots of a searchset in order of time; an entry without id or times is no offer."""
    bundle = MessageBundle.from_dict(raw)
    diaries: dict[int, list[list[Any]]] = {}
    offers = (_offer(bundle, slot, diaries) for slot in bundle.of_type("Slot"))
    return sorted((each for each in offers if each is not None), key=lambda each: (each.start, each.id))


def _offer(bundle: MessageBundle, slot: Resource, diaries: dict[int, list[list[Any]]]) -> OfferedSlot | None:
    ident = as_text(slot.get("id"))
    start, end = _instant(slot.get("start")), _instant(slot.get("end"))
    free = as_text(slot.get("status")) == SlotStatus.FREE
    if not free or not ident or len(ident) > _ID_LENGTH or start is None or end is None or end <= start:
        return None
    around = _diary(bundle, bundle.resolve(slot.get("schedule")), diaries)
    carried = [each for _, each in around]
    practitioner = _first(carried, "Practitioner")
    return OfferedSlot(
        id=ident,
        start=start,
        end=end,
        practitioner_name=_name(practitioner),
        role=_role(_first(carried, "PractitionerRole")),
        gender=_gender(practitioner),
        delivery_channel=_channel(slot),
        location_name=_words(_first(carried, "Location").get("name")),
        resources=[[_url(bundle, slot), _portable(bundle, slot, {id(slot)}, around)], *around],
    )


def _instant(value: object) -> datetime | None:
    try:
        return parse_instant(as_text(value))
    except InvalidInstant:
        return None


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
        waiting += [target for _, ref in references(each, "") if (target := bundle.resolve(ref)) is not None]


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


def _name(practitioner: Resource) -> str:
    name = next(dicts(practitioner.get("name")), {})
    parts = [*as_list(name.get("prefix")), *as_list(name.get("given")), name.get("family")]
    return _words(" ".join(as_text(part) for part in parts)) or _words(name.get("text"))


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
