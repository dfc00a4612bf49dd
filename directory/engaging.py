"""What a service says of itself decides what is offered to it (standard section 8). Pure."""

from bars_portal.exchange.fhir.codes import VALIDATION_USE_CASES, UseCase
from bars_portal.exchange.fhir.profiles import Definition
from directory.models import HealthcareService, ServiceCapability

OTHER_VERSION = (
    "This service works with another version of the standard, so nothing can be sent to it from here. "
    "Telephone the service."
)
NO_BOOKINGS = "This service itself says that it takes no such bookings now. Choose another service."
_KNOWN = frozenset(each.value.rpartition("/")[2] for each in Definition)


def is_told_to_take(capability: ServiceCapability | None, use_case: UseCase) -> bool:
    """A request, by its MessageDefinitions and by its CapabilityStatement, as far as they say anything."""
    if capability is None:
        return True
    if capability.use_cases is not None and use_case.value not in capability.use_cases:
        return False
    validates = use_case in VALIDATION_USE_CASES
    return _lists(capability, Definition.VALIDATION_REQUEST if validates else Definition.REFERRAL_REQUEST)


def is_told_to_book(capability: ServiceCapability | None, use_case: str) -> bool:
    """A booking, by the same."""
    if capability is None:
        return True
    if capability.booking_use_cases is not None and use_case not in capability.booking_use_cases:
        return False
    return _lists(capability, Definition.BOOKING_REQUEST)


def why_no_booking(service: HealthcareService, capability: ServiceCapability | None) -> str:
    """Why, by its own word, no booking can be sent to it; "" when one can, or nothing is known of it."""
    if not speaks_our_version(capability):
        return OTHER_VERSION
    told = any(is_told_to_book(capability, each) for each in service.accepted_use_cases)
    return "" if told or not service.accepted_use_cases else NO_BOOKINGS


def speaks_our_version(capability: ServiceCapability | None) -> bool:
    """False when it works with another major version of the standard."""
    return capability is None or bool(capability.agreed_version)


def _lists(capability: ServiceCapability, definition: Definition) -> bool:
    # A statement whose names nobody knows says nothing that could be held against it.
    listed = _KNOWN & set(capability.definitions or ())
    return not listed or definition.value.rpartition("/")[2] in listed
