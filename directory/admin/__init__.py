"""Staff pages of the directory."""

from directory.admin.capabilities import ServiceCapabilityAdmin
from directory.admin.capability_changes import CapabilityChangeAdmin
from directory.admin.catalogues import CatalogueImportAdmin
from directory.admin.endpoints import EndpointAdmin
from directory.admin.services import HealthcareServiceAdmin

__all__ = [
    "CapabilityChangeAdmin",
    "CatalogueImportAdmin",
    "EndpointAdmin",
    "HealthcareServiceAdmin",
    "ServiceCapabilityAdmin",
]
