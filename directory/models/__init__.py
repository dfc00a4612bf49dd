"""Services, how to reach them, where they are, and the catalogues that they came from."""

from directory.models.access import AccessRule
from directory.models.capability import CapabilityChange, ServiceCapability
from directory.models.catalogue import CatalogueChange as CatalogueChange
from directory.models.catalogue import CatalogueImport as CatalogueImport
from directory.models.catalogue import ChangeKind as ChangeKind
from directory.models.catalogue import ImportState as ImportState
from directory.models.functions import Compact as Compact
from directory.models.functions import Place as Place
from directory.models.service import SORTED_BY, HealthcareService, ServiceType, service_id_validator
from directory.models.service import Endpoint as Endpoint
from directory.models.service import EndpointStatus as EndpointStatus
from directory.models.service import OfService as OfService
from directory.models.service import Postcode as Postcode
from directory.models.service import Source as Source

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
    "Place",
    "Postcode",
    "ServiceCapability",
    "ServiceType",
    "Source",
    "service_id_validator",
]
