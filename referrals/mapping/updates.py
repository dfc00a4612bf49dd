"""An update laid over what we hold, entry by entry, by the sender's own stamps.

Standard section 6, "Stale update": equal is unchanged, newer replaces, older is a conflict. Only stamps of
one sender are compared: two clocks say nothing about each other.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from bars_portal.exchange.fhir.bundle import MessageBundle, Resource
from bars_portal.exchange.fhir.reading import as_dict, as_text
from referrals.mapping import reading
from referrals.mapping.answers import has_usable_id
from referrals.mapping.received import ReceivedCase, parse_case

Stamps = Mapping[str, str]


def stamps_of(received: ReceivedCase) -> dict[str, str]:
    """meta.lastUpdated by fullUrl, of everything that is the sender's own."""
    stamps = {url: _stamp(resource) for url, resource in _own_entries(received)}
    return {url: stamp for url, stamp in stamps.items() if stamp}


def stale_entries(received: ReceivedCase, held: Stamps) -> list[str]:
    """FHIRPaths of entries that are older than what we hold."""
    return [
        f"{received.bundle.path_of(resource)}.meta.lastUpdated"
        for url, resource in _own_entries(received)
        if _age(resource, held.get(url, "")) < 0
    ]


def merged_request(received: ReceivedCase, held: Resource, stamps: Stamps) -> Resource:
    """Unchanged by an equal stamp, but for the status that makes the message what it is."""
    if _age(received.request, stamps.get(received.url, "")) == 0:
        return {**held, "status": as_text(received.request.get("status"))}
    return received.request


def merged_entries(
    received: ReceivedCase, held: Sequence[Sequence[Any]], stamps: Stamps
) -> list[tuple[str, Resource]]:
    """Every other entry: as we hold it when its stamp is equal, else as it was sent, its id kept."""
    known = {str(url): resource for url, resource in held}
    return [
        (url, _merged(url, resource, known.get(url), stamps.get(url, "")))
        for url, resource in _own_entries(received)
        if resource is not received.request
    ]


def merged_case(
    received: ReceivedCase, request: Resource, others: Sequence[tuple[str, Resource]]
) -> ReceivedCase:
    """The case as it now stands, read anew: columns say what the resources say."""
    entries = [(received.bundle.full_url_of(received.bundle.header), received.bundle.header)]
    entries += [(received.url, request), *others]
    listed = [{"fullUrl": url, "resource": resource} for url, resource in entries]
    raw = {**received.bundle.raw, "entry": listed}
    return parse_case(MessageBundle(raw), received.category)


def _merged(url: str, sent: Resource, held: Resource | None, stamp: str) -> Resource:
    if held is None:
        return sent
    if _age(sent, stamp) == 0:
        return held
    return sent if has_usable_id(url, sent) else {**sent, "id": held["id"]}


def _own_entries(received: ReceivedCase) -> list[tuple[str, Resource]]:
    """Neither the header, which is the message's, nor our Encounter told back to us."""
    ours = received.other_encounter
    return [
        (url, resource)
        for url, resource in received.bundle.entries
        if resource.get("resourceType") != "MessageHeader" and resource is not ours
    ]


def _stamp(resource: Resource) -> str:
    return as_text(as_dict(resource.get("meta")).get("lastUpdated"))


def _age(sent: Resource, stamp: str) -> int:
    """-1 older than the stamp, 0 equal, 1 newer or not to be compared."""
    theirs, ours = reading.stamp_of(sent), reading.instant(stamp)
    if theirs is None or ours is None:
        return 1
    return (theirs > ours) - (theirs < ours)
