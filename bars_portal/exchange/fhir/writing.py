"""Writing Bundles: a new message, a searchset, and the synchronous answer to a message."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import NAMESPACE_URL, UUID

from bars_portal.exchange.fhir import profiles
from bars_portal.exchange.fhir.codes import MessageEvent, MessageReason
from bars_portal.exchange.fhir.identifiers import ServiceID, is_uuid, name_based_uuid
from bars_portal.exchange.fhir.profiles import STANDARD_VERSION
from bars_portal.exchange.fhir.reading import as_dict, as_text
from bars_portal.exchange.fhir.timestamps import format_instant

if TYPE_CHECKING:
    from bars_portal.exchange.fhir.bundle import MessageBundle

Resource = dict[str, Any]


def new_message(
    *,
    bundle_id: UUID | str,
    now: datetime,
    event: MessageEvent,
    reason: MessageReason,
    definition: str,
    destination: ServiceID,
    source: ServiceID,
    source_name: str,
    software: str,
    version: str,
    receiver_url: str,
    sender_url: str,
    focus_url: str,
    entries: Sequence[tuple[str, Resource]],
    response_identifier: str | None = None,
) -> dict[str, Any]:
    """A BaRS message Bundle with its MessageHeader first, then `entries` as (fullUrl, resource).

    `receiver_url`, `sender_url` and `focus_url` are fullUrls among `entries`; `definition` is a canonical
    URL; `response_identifier` is the Bundle.id being answered. Resources are not changed: a missing
    meta.lastUpdated or meta.profile is filled in a copy.
    """
    header: Resource = {
        "resourceType": "MessageHeader",
        "eventCoding": event.coding,
        "destination": [{"endpoint": destination.token, "receiver": {"reference": receiver_url}}],
        "sender": {"reference": sender_url},
        "source": {"name": source_name, "software": software, "version": version, "endpoint": source.token},
        "reason": {"coding": [reason.coding]},
        "focus": [{"reference": focus_url}],
        "definition": str(definition),
    }
    if response_identifier is not None:
        header["response"] = {"identifier": response_identifier, "code": "ok"}
    header["meta"] = {"profile": [profiles.HEADER_PROFILES.get(event, profiles.uk_core("MessageHeader"))]}
    # Derived, so that building the same message twice gives the same bytes.
    header_url = f"urn:uuid:{name_based_uuid(NAMESPACE_URL, f'{bundle_id}|MessageHeader')}"
    stamp = format_instant(now)
    stamped = [(url, with_meta(resource, stamp)) for url, resource in ((header_url, header), *entries)]
    return _message(str(bundle_id), stamp, stamped)


def _message(bundle_id: str, stamp: str, entries: Iterable[tuple[str, Resource]]) -> dict[str, Any]:
    return {
        "resourceType": "Bundle",
        "id": bundle_id,
        "meta": {
            "versionId": STANDARD_VERSION,
            "lastUpdated": stamp,
            "profile": [profiles.BUNDLE_MESSAGE],
        },
        "type": "message",
        "timestamp": stamp,
        "entry": [{"fullUrl": url, "resource": resource} for url, resource in entries],
    }


def with_meta(resource: Resource, stamp: str) -> Resource:
    """The resource itself when it has meta.lastUpdated and meta.profile, else a shallow copy that has."""
    meta = as_dict(resource.get("meta"))
    if "lastUpdated" in meta and "profile" in meta:
        return resource
    profile = profiles.uk_core(as_text(resource.get("resourceType")))
    return {**resource, "meta": {"lastUpdated": stamp, "profile": [profile], **meta}}


def searchset(
    *,
    bundle_id: UUID | str,
    now: datetime,
    self_link: str,
    matches: Sequence[tuple[str, Resource]],
    included: Sequence[tuple[str, Resource]] = (),
) -> dict[str, Any]:
    """A searchset of (fullUrl, resource); total counts the matches. `self_link` holds no patient data."""
    stamp = format_instant(now)
    bundle: dict[str, Any] = {
        "resourceType": "Bundle",
        "id": str(bundle_id),
        "meta": {
            "versionId": STANDARD_VERSION,
            "lastUpdated": stamp,
            "profile": [profiles.BUNDLE_SEARCHSET],
        },
        "type": "searchset",
        "timestamp": stamp,
        "total": len(matches),
        "link": [{"relation": "self", "url": self_link}],
    }
    # FHIR has no empty lists: without a match the member is left out.
    found = [found_entry(url, resource, "match") for url, resource in matches]
    found += [found_entry(url, resource, "include") for url, resource in included]
    if found:
        bundle["entry"] = found
    return bundle


def found_entry(url: str, resource: Resource, mode: str) -> dict[str, Any]:
    """One entry of a searchset; `mode` is match or include (Bundle.entry.search.mode)."""
    return {"fullUrl": url, "resource": resource, "search": {"mode": mode}}


def reply(
    request: MessageBundle,
    *,
    now: datetime,
    focus: Resource,
    included: Sequence[tuple[str, Resource]] = (),
) -> dict[str, Any]:
    """The synchronous answer to a message: same Bundle.id and fullUrls, everything that was sent, our ids.

    `focus` takes the place of the request's focus; each of `included` (fullUrl, resource) that of the entry
    with its fullUrl, or is added at the end (standard section 5, "Ids").
    """
    stamp = format_instant(now)
    ours = {url: with_meta(resource, stamp) for url, resource in included}
    if request.focus is not None:
        ours[request.full_url_of(request.focus)] = with_meta(focus, stamp)
    entries = [(url, ours.pop(url, resource)) for url, resource in request.entries]
    entries += list(ours.items())
    return _message(request.id, stamp, [(url, _with_our_id(request.id, url, each)) for url, each in entries])


def _with_our_id(bundle_id: str, url: str, resource: Resource) -> Resource:
    """Keep a usable id; replace a placeholder, or the uuid of its own fullUrl, by ours in a copy."""
    ident = as_text(resource.get("id"))
    if is_uuid(ident) and not url.lower().endswith(ident.lower()):
        return resource
    # Derived from what was sent: a stored reply and a rebuilt one agree.
    return {**resource, "id": name_based_uuid(NAMESPACE_URL, f"{bundle_id}|{url}")}
