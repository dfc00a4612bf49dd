"""What is known of the services that messages go to; the directory, a room above, fills it at start."""

from datetime import datetime
from typing import Protocol

from bars_portal.exchange.fhir.identifiers import ServiceID
from bars_portal.exchange.transport.answers import Delivery

# The token's issuer failed, not the service.
_NOT_THEIRS = frozenset({"token-refused"})


class Partners(Protocol):
    """What the room above answers, and is told."""

    def agreed_version(self, service_id: ServiceID, *, now: datetime) -> str:
        """The highest version of the standard that both sides know; "" when that is not known."""

    def note_contact(self, service_id: ServiceID, *, answered: bool, now: datetime) -> None:
        """Whether the service answered just now."""


class _Known:
    partners: Partners | None = None


def register_partners(partners: Partners) -> None:
    _Known.partners = partners


def agreed_version(service_id: ServiceID, *, now: datetime) -> str:
    known = _Known.partners
    return known.agreed_version(service_id, now=now) if known is not None else ""


def note_delivery(service_id: ServiceID, delivery: Delivery, reason: str, *, now: datetime) -> None:
    """Its health, as an attempt shows it. A refusal may be the proxy's, so it says nothing."""
    known = _Known.partners
    if known is None or delivery is Delivery.REFUSED or reason in _NOT_THEIRS:
        return
    known.note_contact(service_id, answered=delivery is not Delivery.UNKNOWN, now=now)
