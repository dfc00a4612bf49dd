"""What a service says of itself decides what is offered to it (standard section 8). Pure."""

from bars_portal.exchange.fhir.codes import VALIDATION_USE_CASES, UseCase
from bars_portal.exchange.fhir.profiles import Definition
from directory.models import ServiceCapability

_KNOWN = frozenset(each.value.rpartition("/")[2] for each in Definition)


def is_told_to_take(capability: ServiceCapability | None, use_case: UseCase) -> bool:
    """By its MessageDefinitions and by its CapabilityStatement, as far as they say anything."""
    if capability is None:
        return True
    if capability.use_cases is not None and use_case.value not in capability.use_cases:
        return False
    # A statement whose names nobody knows says nothing that could be held against it.
    listed = _KNOWN & set(capability.definitions or ())
    return not listed or _definition(use_case) in listed


def speaks_our_version(capability: ServiceCapability | None) -> bool:
    """False when it works with another major version of the standard."""
    return capability is None or bool(capability.agreed_version)


def _definition(use_case: UseCase) -> str:
    """The last part of the address of the definition that a request of the use case names."""
    validates = use_case in VALIDATION_USE_CASES
    url = Definition.VALIDATION_REQUEST if validates else Definition.REFERRAL_REQUEST
    return url.value.rpartition("/")[2]
