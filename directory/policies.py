"""What may be done with a service, and by whom; each refusal is a sentence for the user."""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from bars_portal.accounts.acting import Acting
from bars_portal.accounts.permissions import need
from bars_portal.exchange.fhir.access import is_paused
from bars_portal.nhsuk.dates import format_date, format_moment
from directory.catalogue.entries import EVERYTHING, Reach
from directory.models import AccessRule, Endpoint, HealthcareService

_CONNECTION_TYPES = frozenset({"hl7-fhir-rest", "hl7-fhir-msg"})
_NOT_ACTIVE = "This service is not active. Choose another service."
# In the order in which an endpoint is judged.
_ENDPOINT_FAULTS: tuple[tuple[str, Callable[[Endpoint], bool]], ...] = (
    ("The endpoint of this service is not for BaRS messages.", lambda row: row.payload_type != "bars"),
    (
        "The endpoint of this service is not for FHIR messages.",
        lambda row: row.connection_type not in _CONNECTION_TYPES,
    ),
    ("The endpoint of this service is suspended.", lambda row: row.status == "suspended"),
    ("The endpoint of this service is switched off.", lambda row: row.status != "active"),
)
_RANK = {sentence: rank for rank, (sentence, _) in enumerate(_ENDPOINT_FAULTS)}


def why_no_bookings(service: HealthcareService) -> str:
    """ "" when the service takes bookings."""
    if not service.active:
        return _NOT_ACTIVE
    return "" if service.takes_bookings else "This service does not take bookings."


def why_no_referrals_now(service: HealthcareService, *, now: datetime) -> str:
    """ "" unless it has stopped taking them for a while, which its own manager said here."""
    if service.paused_until is None or not is_paused(service.paused_until, now):
        return ""
    until = format_moment(service.paused_until, now)
    return f"This service takes no referrals until {until}: {service.pause_reason}."


def why_unreachable(service: HealthcareService, *, now: datetime) -> str:
    """Why nothing can be sent to it; "" when something can. Its endpoints are read.

    A service without any endpoint on record may be tried: the catalogue that routes messages is not ours, and
    knows services that we do not.
    """
    return _NOT_ACTIVE if not service.active else why_no_target(service.endpoints.all(), now=now)


def why_no_target(endpoints: Iterable[Endpoint], *, now: datetime) -> str:
    """Messages need exactly one endpoint that can be used now (api.md section 5); "" with none on record."""
    faults = [_why_unusable(each, now) for each in endpoints]
    usable = faults.count("")
    if usable > 1:
        return f"This service has {usable} endpoints, so messages cannot be delivered to it."
    if usable == 1 or not faults:
        return ""
    # Of several endpoints the one that came furthest says most.
    return max(faults, key=lambda fault: _RANK.get(fault, len(_RANK)))


def _why_unusable(endpoint: Endpoint, now: datetime) -> str:
    fault = next((sentence for sentence, broken in _ENDPOINT_FAULTS if broken(endpoint)), "")
    if not fault and endpoint.period_start and now < endpoint.period_start:
        return f"The endpoint of this service can be used from {format_date(endpoint.period_start)}."
    if not fault and endpoint.period_end and now >= endpoint.period_end:
        return f"The endpoint of this service could be used until {format_date(endpoint.period_end)}."
    return fault


def can_change_service(service: HealthcareService, acting: Acting | None) -> bool:
    """Managers change the services of the organisation that they act for."""
    if acting is None or not acting.may("directory.change_healthcareservice"):
        return False
    return service.provider_id == acting.organisation.pk


# For longer it is no pause: what the service accepts is changed then.
LONGEST_PAUSE = timedelta(weeks=4)


def check_can_pause(service: HealthcareService, acting: Acting) -> None:
    """Managers, of the services of their organisation that our receiver answers for."""
    need(can_change_service(service, acting), "You are not allowed to change this service.")
    need(service.hosted and service.takes_referrals, "This service takes no referrals here.")


def can_change_access_rule(rule: AccessRule, acting: Acting | None) -> bool:
    """Managers say who may use the services of the organisation that they act for."""
    if acting is None or not acting.may("directory.change_accessrule"):
        return False
    return rule.service.provider_id == acting.organisation.pk


def can_change_endpoint(endpoint: Endpoint, acting: Acting | None) -> bool:
    """Engineers change endpoints that the organisation they act for manages, or of its services."""
    if acting is None or not acting.may("directory.change_endpoint"):
        return False
    return acting.organisation.pk in (endpoint.managing_organisation_id, endpoint.service.provider_id)


def keeps_shared_directory(acting: Acting | None) -> bool:
    """Installation engineers: services that nobody here hosts are of no organisation here."""
    return acting is not None and acting.may("directory.keep_shared_directory")


def reach_of(acting: Acting | None, *, everything: bool = False) -> Reach:
    """Whose services somebody's catalogues may speak of. `everything` is for superusers."""
    if everything:
        return EVERYTHING
    if acting is None or not acting.may("directory.add_catalogueimport"):
        return Reach()
    # What the organisation provides is changed by its own engineers, be they installation engineers too.
    own = acting.organisation.ods_code if acting.may("directory.change_endpoint") else ""
    return Reach(organisation=own, unhosted=keeps_shared_directory(acting))
