"""From a DoS service id to the one endpoint that its messages go to (api.md section 5).

The service must be active; its endpoint active, in its period, of a FHIR connection and for BaRS payloads.
None is 404 PROXY_NOT_FOUND `not-found`, several are 404 NOT_FOUND `multiple-matches`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Protocol

from bars_portal.exchange.fhir.identifiers import ServiceID
from bars_portal.nhsuk.dates import format_date
from directory.models import Endpoint, HealthcareService
from directory.selectors.services import service_by_id

# From a DoS service id to the one endpoint that its messages go to (api.md section 5). Pure.
#
# The service must be active; its endpoint active, in its period, of a FHIR connection and for BaRS payloads.
# None is 404 PROXY_NOT_FOUND `not-found`, several are 404 NOT_FOUND `multiple-matches`.


CONNECTION_TYPES = frozenset({"hl7-fhir-rest", "hl7-fhir-msg"})
PAYLOAD_TYPE = "bars"
NOTHING_ON_RECORD = "The directory has no endpoint for this service."


class Way(Protocol):
    """What of an Endpoint decides; rows of the directory have it."""

    @property
    def status(self) -> str: ...
    @property
    def connection_type(self) -> str: ...
    @property
    def payload_type(self) -> str: ...
    @property
    def period_start(self) -> datetime | None: ...
    @property
    def period_end(self) -> datetime | None: ...


@dataclass(frozen=True)
class Target:
    """A service with its endpoints, in whatever state they are."""

    active: bool
    ways: Sequence[Way]


class Unresolved(Exception):
    """Messages for the target lead nowhere; the message is a sentence for people."""

    status: ClassVar[int] = 404
    code: ClassVar[str]
    issue: ClassVar[str]


class NoEndpoint(Unresolved):
    code = "PROXY_NOT_FOUND"
    issue = "not-found"


class SeveralEndpoints(Unresolved):
    code = "NOT_FOUND"
    issue = "multiple-matches"


def resolve(target: Target | None, *, now: datetime) -> Way:
    """The one way that messages take. Raises NoEndpoint and SeveralEndpoints."""
    if target is None:
        raise NoEndpoint("There is no such service in the directory.")
    if not target.active:
        raise NoEndpoint("This service is not active. Choose another service.")
    if not target.ways:
        raise NoEndpoint(NOTHING_ON_RECORD)
    faults = [(way, why_unusable(way, now=now)) for way in target.ways]
    usable = [way for way, fault in faults if not fault]
    if len(usable) > 1:
        raise SeveralEndpoints(
            f"This service has {len(usable)} endpoints, so messages cannot be delivered to it."
        )
    if not usable:
        raise NoEndpoint(_nearest_miss([fault for _, fault in faults]))
    return usable[0]


def why_unusable(way: Way, *, now: datetime) -> str:
    """A sentence, or "" when the endpoint can be used now."""
    return next((sentence for broken, sentence in _RULES if broken(way, now)), "") or _out_of_period(way, now)


def _out_of_period(way: Way, now: datetime) -> str:
    if way.period_start and now < way.period_start:
        return f"The endpoint of this service can be used from {format_date(way.period_start)}."
    if way.period_end and now >= way.period_end:
        return f"The endpoint of this service could be used until {format_date(way.period_end)}."
    return ""


_RULES: tuple[tuple[Callable[[Way, datetime], bool], str], ...] = (
    (
        lambda way, now: way.payload_type != PAYLOAD_TYPE,
        "The endpoint of this service is not for BaRS messages.",
    ),
    (
        lambda way, now: way.connection_type not in CONNECTION_TYPES,
        "The endpoint of this service is not for FHIR messages.",
    ),
    (lambda way, now: way.status == "suspended", "The endpoint of this service is suspended."),
    (lambda way, now: way.status != "active", "The endpoint of this service is switched off."),
)
_ORDER = {sentence: place for place, (_, sentence) in enumerate(_RULES)}


def _nearest_miss(faults: Sequence[str]) -> str:
    """Of several endpoints the one that came furthest says most."""
    return max(faults, key=lambda fault: _ORDER.get(fault, len(_ORDER)))


# Where messages to a service go, by what the directory knows.


def resolve_target(service_id: ServiceID | str, *, now: datetime) -> Endpoint:
    """The endpoint of a service. Raises NoEndpoint and SeveralEndpoints."""
    service = service_by_id(service_id)
    way = resolve(_target(service) if service else None, now=now)
    if not isinstance(way, Endpoint):
        raise TypeError("The directory resolves to rows of its own.")
    return way


def why_unreachable(service: HealthcareService, *, now: datetime) -> str:
    """Why nothing can be sent to it, as a sentence; "" when something can.

    A service without any endpoint on record may be tried: the catalogue that routes messages is not ours, and
    knows services that we do not.
    """
    try:
        resolve(_target(service), now=now)
    except Unresolved as fault:
        return "" if str(fault) == NOTHING_ON_RECORD else str(fault)
    return ""


def _target(service: HealthcareService) -> Target:
    return Target(service.active, list(service.endpoints.all()))
