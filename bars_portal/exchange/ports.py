"""What the exchange asks of the directory, a room above, which plugs in at start."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from bars_portal.exchange.fhir.identifiers import ServiceID
from bars_portal.exchange.fhir.rules import HostedService
from bars_portal.ports import Port


class Services(Protocol):
    """The services that we answer for, and those that messages go to."""

    def hosted(self, service_id: ServiceID) -> HostedService | None:
        """What the rules need to know of a service of ours; None when it is not hosted here."""

    def provided_by(self, organisation_id: int) -> Sequence[str]:
        """The service ids of one organisation."""

    def agreed_version(self, service_id: ServiceID, *, now: datetime) -> str:
        """The highest version of the standard that both sides know; "" when that is not known."""

    def note_contact(self, service_id: ServiceID, *, answered: bool, now: datetime) -> None:
        """Whether the service answered just now."""


services = Port[Services]("which services there are")
