"""Services, how to reach them, where they are, and the catalogues that they came from."""

from directory.models.capability import CapabilityChange, ServiceCapability
from directory.models.endpoint import Endpoint, EndpointStatus
from directory.models.imports import CatalogueChange, CatalogueImport, ChangeKind, ImportState
from directory.models.places import Compact, Place, Postcode
from directory.models.service import SORTED_BY, HealthcareService, ServiceType, service_id_validator
from directory.models.sources import Source

__all__ = [
    "SORTED_BY",
    "CapabilityChange",
    "CatalogueChange",
    "CatalogueImport",
    "ChangeKind",
    "Compact",
    "Endpoint",
    "EndpointStatus",
    "HealthcareService",
    "ImportState",
    "Place",
    "Postcode",
    "ServiceCapability",
    "ServiceType",
    "Source",
    "service_id_validator",
]
