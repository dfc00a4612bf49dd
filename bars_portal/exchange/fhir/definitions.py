"""The BaRS MessageDefinitions as data: what a Bundle of each kind may hold (messages.md section 5).

One table serves two ends: counting what arrives, and telling senders what we take.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from bars_portal.exchange.fhir import profiles
from bars_portal.exchange.fhir.codes import MessageEvent
from bars_portal.exchange.fhir.profiles import Definition, uk_core


@dataclass(frozen=True, slots=True)
class Allowed:
    """A resource type in a Bundle: at least `low`, at most `high` (None: no limit)."""

    resource_type: str
    profile: str
    low: int
    high: int | None


@dataclass(frozen=True)
class DefinitionFacts:
    """A MessageDefinition's canonical URL, its name and the resources that its Bundles hold."""

    url: str
    title: str
    event: MessageEvent
    version: str
    allowed: tuple[Allowed, ...]

    @cached_property
    def limits(self) -> dict[str, tuple[int, int | None]]:
        """Fewest and most (None: no limit) of each resource type; a type listed twice adds up."""
        found: dict[str, tuple[int, int | None]] = {}
        for each in self.allowed:
            low, high = found.get(each.resource_type, (0, 0))
            most = None if high is None or each.high is None else high + each.high
            found[each.resource_type] = (low + each.low, most)
        # The table names the Bundle itself too, which holds no Bundle.
        found.pop("Bundle", None)
        return found

    @property
    def name(self) -> str:
        """Last part of the URL, "bars-message-booking-request"."""
        return self.url.rpartition("/")[2]


def _core(resource_type: str, low: int, high: int | None) -> Allowed:
    return Allowed(resource_type, uk_core(resource_type), low, high)


_BUNDLE = Allowed("Bundle", profiles.BUNDLE_MESSAGE, 1, 1)
_BOOKING_HEADER = Allowed("MessageHeader", profiles.HEADER_BOOKING_REQUEST, 1, 1)

_BOOKING_REQUEST = DefinitionFacts(
    url=Definition.BOOKING_REQUEST,
    title="BARS Message Definition Booking - Request",
    event=MessageEvent.BOOKING_REQUEST,
    version="1.0.0",
    allowed=(
        _BUNDLE,
        _BOOKING_HEADER,
        Allowed("ServiceRequest", profiles.SERVICEREQUEST_REFERRAL, 0, 1),
        _core("Patient", 1, 1),
        _core("Location", 0, 1),
        _core("Organization", 2, None),
        _core("Practitioner", 0, None),
        _core("PractitionerRole", 0, None),
        _core("Consent", 0, None),
        _core("HealthcareService", 1, 1),
        _core("Appointment", 1, 1),
        _core("Slot", 1, 1),
        _core("Schedule", 1, 1),
    ),
)

_BOOKING_REQUEST_CANCELLED = DefinitionFacts(
    url=Definition.BOOKING_REQUEST_CANCELLED,
    title="BARS Message Definition Booking - Request - Cancelled",
    event=MessageEvent.BOOKING_REQUEST,
    version="1.0.0",
    allowed=(
        _BUNDLE,
        _BOOKING_HEADER,
        _core("Patient", 1, 1),
        _core("Organization", 2, None),
        _core("Appointment", 1, 1),
    ),
)

DEFINITIONS: Mapping[str, DefinitionFacts] = {
    facts.url: facts for facts in (_BOOKING_REQUEST, _BOOKING_REQUEST_CANCELLED)
}
