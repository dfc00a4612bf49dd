"""Reading a message Bundle; odd input reads as nothing, so that the rules can name what is wrong."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Self

from bars_portal.exchange.fhir.identifiers import InvalidIdentifier, ServiceID
from bars_portal.exchange.fhir.reading import as_dict, as_list, as_text, codings, dicts
from bars_portal.exchange.fhir.timestamps import InvalidInstant, parse_instant
from bars_portal.exchange.fhir.writing import Resource, new_message, reply, searchset

__all__ = ["MessageBundle", "Resource", "new_message", "reply", "searchset"]

_REASONS = "message-reason-bars"
_URN = "urn:uuid:"


class MessageBundle:
    """An index over one message Bundle; it never changes `raw` and never raises on odd input.

    Resources are the very dicts of `raw`, so they can be told apart by identity. Missing texts are "".
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

    @classmethod
    def from_dict(cls, raw: dict[str, Any]) -> Self:
        return cls(raw)

    def _add(self, position: int, entry: dict[str, Any]) -> None:
        resource = entry.get("resource")
        if not isinstance(resource, dict):
            return
        kind, url = as_text(resource.get("resourceType")), as_text(entry.get("fullUrl"))
        self.entries.append((url, resource))
        self.by_type.setdefault(kind, []).append(resource)
        self._places[id(resource)] = (position, url)
        for key in _keys(kind, url, as_text(resource.get("id"))):
            self._targets.setdefault(key, resource)

    @property
    def id(self) -> str:
        return as_text(self.raw.get("id"))

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
    def destination(self) -> ServiceID | None:
        """The first MessageHeader.destination.endpoint; None when it is no service id."""
        return _service(next(dicts(self.header.get("destination")), {}).get("endpoint"))

    @property
    def source(self) -> ServiceID | None:
        """MessageHeader.source.endpoint, where a reply goes to; None when it is no service id."""
        return _service(as_dict(self.header.get("source")).get("endpoint"))

    @property
    def response_identifier(self) -> str:
        """MessageHeader.response.identifier: the Bundle.id that this message answers."""
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
        """What a Reference, or its text, points at: a fullUrl, "Type/id" or "Type/<uuid of the fullUrl>"."""
        text = (
            as_text(as_dict(reference).get("reference"))
            if isinstance(reference, dict)
            else as_text(reference)
        )
        return self._targets.get(text) or self._targets.get(text.lower()) if text else None


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
