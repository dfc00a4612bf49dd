"""Where a target leads: the endpoint catalogue, and behind it the UserTest services, always at hand."""

from typing import Protocol

from bars_portal.simulator.outcomes import Refused
from bars_portal.simulator.target import Target
from bars_portal.simulator.tkw.receiver import TKW_BASE_URL
from bars_portal.simulator.tkw.tables import services

SERVICE_SYSTEM = "https://fhir.nhs.uk/Id/dos-service-id"


class Addresses(Protocol):
    """Whoever knows where targets live."""

    def base_url(self, target: Target) -> str:
        """The base URL without its trailing slash, or the name of who plays the service. Raises Refused."""
        ...


class Routing:
    """The catalogue's word counts; a UserTest service that it does not know is played by TKW."""

    def __init__(self, catalogue: Addresses) -> None:
        self._catalogue = catalogue

    def base_url(self, target: Target) -> str:
        """As in the catalogue. Raises Refused."""
        try:
            return self._catalogue.base_url(target)
        except Refused:
            if target.system == SERVICE_SYSTEM and target.value in services():
                return TKW_BASE_URL
            raise
