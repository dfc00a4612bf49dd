"""Bundles both ways: reading a message, writing a message, a searchset, and the answer to a message."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any, Literal
from uuid import NAMESPACE_URL, UUID

from bars_portal.exchange.fhir import json, profiles
from bars_portal.exchange.fhir.codes import MessageEvent, MessageReason
from bars_portal.exchange.fhir.identifiers import InvalidIdentifier, ServiceID, is_uuid, name_based_uuid
from bars_portal.exchange.fhir.json import HISTORY, as_dict, as_list, as_text, codings, dicts
from bars_portal.exchange.fhir.profiles import STANDARD_VERSION
from bars_portal.exchange.fhir.timestamps import InvalidInstant, format_instant, format_london, parse_instant

Resource = dict[str, Any]
_REASONS = "message-reason-bars"
_URN = "urn:uuid:"


class MessageBundle:
    """An index over one message Bundle; it never changes `raw` and never raises on odd input.

    What is odd or missing reads as nothing, a text as "", so that the rules can name what is wrong. Resources
    are the very dicts of `raw`, so they can be told apart by identity.
    """

    def __init__(self, raw: dict[str, Any]) -> None:
        self.raw = raw
        self.entries: list[tuple[str, Resource]] = []
        self.by_type: dict[str, list[Resource]] = {}
        self._places: dict[int, tuple[int, str]] = {}
        self._targets: dict[str, Resource] = {}
        for position, entry in enumerate(as_list(raw.get("entry"))):
            self._add(position, as_dict(entry))
        self.header: Resource = next(iter(self.of_type("MessageHeader")), {})

    def _add(self, position: int, entry: dict[str, Any]) -> None:
        resource = entry.get("resource")
        if not isinstance(resource, dict):
            return
        kind, url = as_text(resource.get("resourceType")), as_text(entry.get("fullUrl"))
        self.entries.append((url, resource))
        self.by_type.setdefault(kind, []).append(resource)
        self._places[id(resource)] = (position, url)
        keys = _keys(kind, url, as_text(resource.get("id")))
        for key in keys:
            self._targets.setdefault(key, resource)
        if version := as_text(as_dict(resource.get("meta")).get("versionId")):
            for key in keys:
                self._targets.setdefault(f"{key}{HISTORY}{version}", resource)

    @property
    def id(self) -> str:
        return as_text(self.raw.get("id"))

    @property
    def key(self) -> str:
        """Bundle.id as columns keep it."""
        return key_of(self.id)

    @property
    def version_id(self) -> str:
        """Bundle.meta.versionId: the version of the standard, not of a resource."""
        return as_text(as_dict(self.raw.get("meta")).get("versionId"))

    @property
    def timestamp(self) -> datetime | None:
        try:
            return parse_instant(as_text(self.raw.get("timestamp")))
        except InvalidInstant:
            return None

    @property
    def event(self) -> str:
        """MessageHeader.eventCoding.code."""
        return as_text(as_dict(self.header.get("eventCoding")).get("code"))

    @property
    def reason(self) -> str:
        """Code of MessageHeader.reason in the system of message reasons, else its first code."""
        found = list(codings(self.header.get("reason")))
        known = [coding for coding in found if as_text(coding.get("system")).endswith(_REASONS)]
        return as_text((known or found or [{}])[0].get("code"))

    @property
    def definition(self) -> str:
        """MessageHeader.definition without a version."""
        return as_text(self.header.get("definition")).partition("|")[0]

    @property
    def focus_url(self) -> str:
        """The first MessageHeader.focus reference as written."""
        return as_text(next(dicts(self.header.get("focus")), {}).get("reference"))

    @property
    def focus(self) -> Resource | None:
        return self.resolve(self.focus_url)

    @property
    def focus_id(self) -> UUID | None:
        """The id of the focus, or that of the resource that it names; None when it is no UUID."""
        text = as_text((self.focus or {}).get("id")) or self.focus_url.rpartition("/")[2].removeprefix(_URN)
        return UUID(text) if is_uuid(text) else None

    @property
    def destination(self) -> ServiceID | None:
        """The first MessageHeader.destination.endpoint; None when it is no service id."""
        return _service(next(dicts(self.header.get("destination")), {}).get("endpoint"))

    @property
    def source(self) -> ServiceID | None:
        """MessageHeader.source.endpoint, where a reply goes to; None when it is no service id."""
        return _service(as_dict(self.header.get("source")).get("endpoint"))

    @property
    def response_identifier(self) -> str:
        """MessageHeader.response.identifier: the Bundle.id that this message answers, as it was written."""
        return as_text(as_dict(self.header.get("response")).get("identifier"))

    def of_type(self, resource_type: str) -> list[Resource]:
        """The resources of one type in the order of the Bundle; do not change the list."""
        return self.by_type.get(resource_type, [])

    def full_url_of(self, resource: Resource) -> str:
        """Entry.fullUrl of a resource of this Bundle (by identity)."""
        return self._places.get(id(resource), (0, ""))[1]

    def path_of(self, resource: Resource) -> str:
        """FHIRPath of a resource of this Bundle, "Bundle.entry[3].resource"."""
        place = self._places.get(id(resource))
        return f"Bundle.entry[{place[0]}].resource" if place else "Bundle"

    def resolve(self, reference: object) -> Resource | None:
        """What a Reference, or its text, points at: a fullUrl, "Type/id" or "Type/<uuid of the fullUrl>".

        With "/_history/<n>" behind it, that version; one that does not say its version may be any.
        """
        text = (
            as_text(as_dict(reference).get("reference"))
            if isinstance(reference, dict)
            else as_text(reference)
        )
        found = self._targets.get(text) or self._targets.get(text.lower()) if text else None
        if found is None and HISTORY in text:
            of_any = self.resolve(text.partition(HISTORY)[0])
            return None if as_dict((of_any or {}).get("meta")).get("versionId") else of_any
        return found


KEY_LENGTH = 64


def key_of(bundle_id: str) -> str:
    """The id itself, or a digest of one that is longer than FHIR's ids are: two of them stay two."""
    return bundle_id if len(bundle_id) <= KEY_LENGTH else sha256(bundle_id.encode()).hexdigest()


def _keys(kind: str, url: str, ident: str) -> tuple[str, ...]:
    """Every text by which a reference may name the resource, best first."""
    keys = [url] if url else []
    if url[: len(_URN)].lower() == _URN:
        keys += [url.lower(), f"{kind}/{url[len(_URN) :]}"]
    return (*keys, f"{kind}/{ident}") if ident else tuple(keys)


def _service(endpoint: object) -> ServiceID | None:
    try:
        return ServiceID.from_token(as_text(endpoint))
    except InvalidIdentifier:
        return None


@dataclass(frozen=True)
class HeaderFacts:
    """The MessageHeader's own words: whom it is for, where a reply goes (`source`), and what wrote it.

    `source_name` is the supplier of the system. `contact`: an email address or a telephone number, for
    questions about the message, or "". `triage_tools`: parts of the CDSSExtension, as
    `triage_tool` gives them.
    """

    destination: ServiceID
    source: ServiceID
    source_name: str
    software: str
    version: str
    contact: str = ""
    triage_tools: tuple[tuple[str, str], ...] = ()


def triage_tool(
    whose: Literal["Requester", "Responder"], name: str, version: str
) -> tuple[tuple[str, str], ...]:
    """Decision support software (CDSS) of one side: () without a name.

    The package and the examples spell the parts so; the tables of the guide have other capitals.
    """
    parts = ((f"{whose}CDSSsoftware", name), (f"{whose}CDSSversion", version))
    return tuple(part for part in parts if part[1]) if name else ()


def _source(facts: HeaderFacts) -> Resource:
    system = "email" if "@" in facts.contact else "phone"
    contact = {"system": system, "value": facts.contact} if facts.contact else None
    named = {"name": facts.source_name, "software": facts.software, "version": facts.version}
    told = {**named, "contact": contact, "endpoint": facts.source.token}
    return {name: value for name, value in told.items() if value}


def new_message(
    *,
    bundle_id: UUID | str,
    now: datetime,
    event: MessageEvent,
    reason: MessageReason,
    definition: str,
    facts: HeaderFacts,
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
        "destination": [{"endpoint": facts.destination.token, "receiver": {"reference": receiver_url}}],
        "sender": {"reference": sender_url},
        "source": _source(facts),
        "reason": {"coding": [reason.coding]},
        "focus": [{"reference": focus_url}],
        "definition": str(definition),
    }
    if facts.triage_tools:
        parts = [{"url": url, "valueString": text} for url, text in facts.triage_tools]
        header["extension"] = [{"extension": parts, "url": profiles.EXTENSION_CDSS}]
    if response_identifier is not None:
        header["response"] = {"identifier": response_identifier, "code": "ok"}
    header["meta"] = {"profile": [profiles.HEADER_PROFILES.get(event, profiles.uk_core("MessageHeader"))]}
    stamp = format_instant(now)
    entries = [(_header_url(bundle_id), header), *entries]
    stamped = [(url, with_meta(resource, stamp)) for url, resource in entries]
    return _message(str(bundle_id), stamp, stamped)


def _message(bundle_id: str, stamp: str, entries: Iterable[tuple[str, Resource]]) -> dict[str, Any]:
    bundle = _stamped("message", bundle_id, stamp, profiles.BUNDLE_MESSAGE)
    bundle["entry"] = [{"fullUrl": url, "resource": resource} for url, resource in entries]
    return bundle


def _stamped(kind: str, bundle_id: str, stamp: str, profile: str) -> dict[str, Any]:
    return {
        "resourceType": "Bundle",
        "id": bundle_id,
        "meta": {"versionId": STANDARD_VERSION, "lastUpdated": stamp, "profile": [profile]},
        "type": kind,
        "timestamp": stamp,
    }


def renewed(message: dict[str, Any], *, bundle_id: UUID | str, now: datetime) -> dict[str, Any]:
    """A message that was made here once, as a new one: an id and a moment of its own, the rest as it was.

    What bears the moment of the old one bears the new one; what is older (an update's unchanged parts) stays.
    """
    was, stamp = as_text(message.get("timestamp")), format_instant(now)
    old_header = _header_url(as_text(message.get("id")))
    entries = []
    for url, resource in MessageBundle(message).entries:
        meta = as_dict(resource.get("meta"))
        is_of_then = meta.get("lastUpdated") == was
        anew = {**resource, "meta": {**meta, "lastUpdated": stamp}} if is_of_then else resource
        entries.append((_header_url(bundle_id) if url == old_header else url, anew))
    return _message(str(bundle_id), stamp, entries)


def _header_url(bundle_id: UUID | str) -> str:
    """Derived, so that building the same message twice gives the same bytes."""
    return f"urn:uuid:{name_based_uuid(NAMESPACE_URL, f'{bundle_id}|MessageHeader')}"


def with_meta(resource: Resource, stamp: str) -> Resource:
    """The resource itself when it has meta.lastUpdated and meta.profile, else a shallow copy that has."""
    meta = as_dict(resource.get("meta"))
    if "lastUpdated" in meta and "profile" in meta:
        return resource
    profile = profiles.uk_core(as_text(resource.get("resourceType")))
    return {**resource, "meta": {"lastUpdated": stamp, "profile": [profile], **meta}}


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


def searchset(
    *,
    bundle_id: UUID | str,
    now: datetime,
    self_link: str,
    matches: Sequence[tuple[str, Resource]],
    included: Sequence[tuple[str, Resource]] = (),
    total: int | None = None,
    next_link: str = "",
) -> dict[str, Any]:
    """A searchset of (fullUrl, resource). The links hold no patient data.

    `total`: how many there are, where the matches are not all; `next_link`: where the others are.
    """
    bundle = _searchset(bundle_id, format_instant(now), self_link, len(matches) if total is None else total)
    if next_link:
        bundle["link"].append({"relation": "next", "url": next_link})
    # FHIR has no empty lists: without a match the member is left out.
    found = [found_entry(url, resource, "match") for url, resource in matches]
    found += [found_entry(url, resource, "include") for url, resource in included]
    if found:
        bundle["entry"] = found
    return bundle


def _searchset(bundle_id: UUID | str, stamp: str, self_link: str, total: int) -> dict[str, Any]:
    bundle = _stamped("searchset", str(bundle_id), stamp, profiles.BUNDLE_SEARCHSET)
    return bundle | {"total": total, "link": [{"relation": "self", "url": self_link}]}


def found_entry(url: str, resource: Resource, mode: str) -> dict[str, Any]:
    """One entry of a searchset; `mode` is match or include (Bundle.entry.search.mode)."""
    return {"fullUrl": url, "resource": resource, "search": {"mode": mode}}


@dataclass(frozen=True, slots=True)
class Rendered:
    """One resource as JSON bytes, ready to be sent."""

    body: bytes

    def read(self) -> dict[str, Any]:
        return json.loads(self.body)


def rendered_searchset(
    *,
    bundle_id: UUID | str,
    now: datetime,
    self_link: str,
    total: int,
    matches: str,
    included: bytes = b"",
) -> Rendered:
    """As `searchset`, of finished JSON with commas between the entries; `matches` are the first `total`.

    Bytes are joined, never parsed. The one offset of a slot answer is London's.
    """
    head = json.dumps(_searchset(bundle_id, format_london(now), self_link, total))
    # FHIR has no empty lists.
    if not matches and not included:
        return Rendered(head)
    comma = b"," if matches and included else b""
    # Joined once: the matches may be half a megabyte.
    return Rendered(b"".join([head[:-1], b',"entry":[', matches.encode(), comma, included, b"]}"]))
