"""Later versions of a request: what did not change keeps its stamp, what the receiver named keeps its id."""

from collections.abc import Sequence
from typing import Any

from bars_portal.correspondence.entries import Entry, clean
from bars_portal.exchange.fhir.bundle import MessageBundle, Resource
from bars_portal.exchange.fhir.reading import as_text
from referrals.mapping.answers import has_usable_id

Held = Sequence[Sequence[Any]]
# The stamp, the receiver's id, and when a thing was written down: none of it says anything about the patient.
_ASIDE = frozenset(
    {"meta", "id", "effectiveDateTime", "dateAsserted", "recordedDate", "authored", "authoredOn", "sent"}
    | {"dateTime", "performedPeriod"}
)


def updated_resource(new: Resource, held: Resource) -> Resource:
    """As newly written, with the receiver's id; the stamp stays when nothing else differs.

    Standard section 6, "Stale update": an equal stamp means unchanged, a newer one replaces.
    """
    named = {**new, "id": held["id"]} if held.get("id") else new
    return held if _bare(named) == _bare(held) else named


def updated_entries(new: Sequence[Entry], held: Held) -> list[Entry]:
    """The same for every entry, and the receiver's own Encounter told back (messages.md, CAD updates)."""
    known = {str(url): resource for url, resource in held}
    ours = {url for url, _ in new}
    theirs = [(url, each) for url, each in known.items() if url not in ours and _is_encounter(each)]
    return [(url, updated_resource(each, known.get(url, {}))) for url, each in new] + theirs


def answered_entries(held: Held, reply: MessageBundle) -> list[Entry]:
    """What we sent, with the ids that the answer gives, and the receiver's own Encounter."""
    named = {url: resource for url, resource in reply.entries if has_usable_id(url, resource)}
    ours = {str(url) for url, _ in held}
    # A receiver gives one Encounter of its own; more than a few are no answer to us.
    theirs = [(url, clean(each)) for url, each in reply.entries if url not in ours and _is_encounter(each)]
    return [(str(url), _with_id(each, named.get(str(url)))) for url, each in held] + theirs[:2]


def _with_id(ours: Resource, theirs: Resource | None) -> Resource:
    same = theirs is not None and theirs.get("resourceType") == ours["resourceType"]
    return {**ours, "id": as_text(theirs.get("id"))} if same and theirs else ours


def _bare(resource: Resource) -> Resource:
    return {name: value for name, value in resource.items() if name not in _ASIDE}


def _is_encounter(resource: Resource) -> bool:
    return resource.get("resourceType") == "Encounter"
