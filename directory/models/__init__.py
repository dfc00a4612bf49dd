"""Services, how to reach them, where they are, and the catalogues that they came from."""

from directory.models.functions import Compact, Place
from directory.models.service import (
    SORTED_BY,
    AccessRule,
    CapabilityChange,
    CatalogueChange,
    CatalogueImport,
    ChangeKind,
    Endpoint,
    EndpointStatus,
    HealthcareService,
    ImportState,
    OfService,
    Postcode,
    ServiceCapability,
    ServiceType,
    Source,
    service_id_validator,
)

__all__ = [
    "SORTED_BY",
    "AccessRule",
    "CapabilityChange",
    "CatalogueChange",
    "CatalogueImport",
    "ChangeKind",
    "Compact",
    "Endpoint",
    "EndpointStatus",
    "HealthcareService",
    "ImportState",
    "OfService",
    "Place",
    "Postcode",
    "ServiceCapability",
    "ServiceType",
    "Source",
    "service_id_validator",
]
