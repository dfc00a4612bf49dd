"""Ids, instants, people and organisations of a message; `exchange.fhir.rules.parts` finds the rest."""

from datetime import datetime
from uuid import UUID

from bars_portal.exchange.fhir.bundle import MessageBundle, Resource
from bars_portal.exchange.fhir.identifiers import ODS_SYSTEM, is_uuid, same_system
from bars_portal.exchange.fhir.reading import as_dict, as_text, dicts
from bars_portal.exchange.fhir.timestamps import InvalidInstant, parse_instant

URN = "urn:uuid:"
# What a column holds of a text; the message itself keeps all of it.
NUMBER, NAME, URL, TEXT, ODS, CODE = 100, 200, 200, 500, 12, 20


def instant(value: object) -> datetime | None:
    """None when it is missing or no instant."""
    try:
        return parse_instant(as_text(value))
    except InvalidInstant:
        return None


def uuid_or_none(text: str) -> UUID | None:
    return UUID(text) if is_uuid(text) else None


def url_uuid(url: str) -> UUID | None:
    """The UUID of a fullUrl urn:uuid:<uuid>."""
    return uuid_or_none(url[len(URN) :]) if url.startswith(URN) else None


def stamp_of(resource: Resource) -> datetime | None:
    """meta.lastUpdated."""
    return instant(as_dict(resource.get("meta")).get("lastUpdated"))


def identifier_of(resource: Resource | None) -> str:
    """The first identifier's value, "" when there is none."""
    values = (as_text(each.get("value")) for each in dicts((resource or {}).get("identifier")))
    return next((each for each in values if each), "")[:NUMBER]


def patient_of(bundle: MessageBundle, request: Resource) -> Resource | None:
    """ServiceRequest.subject, else the only Patient of the message."""
    named = bundle.resolve(request.get("subject"))
    return named if named is not None else next(iter(bundle.of_type("Patient")), None)


def sender_organisation(bundle: MessageBundle) -> tuple[str, str]:
    """ODS code and name of MessageHeader.sender, each "" when not known."""
    organisation = bundle.resolve(bundle.header.get("sender")) or {}
    codes = (
        as_text(each.get("value"))
        for each in dicts(organisation.get("identifier"))
        if same_system(as_text(each.get("system")), ODS_SYSTEM)
    )
    return next(codes, "")[:ODS], as_text(organisation.get("name"))[:NAME]
