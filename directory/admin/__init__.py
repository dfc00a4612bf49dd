"""Staff pages of the directory."""

from directory.admin.capabilities import ServiceCapabilityAdmin
from directory.admin.catalogues import CatalogueImportAdmin
from directory.admin.endpoints import EndpointAdmin
from directory.admin.services import HealthcareServiceAdmin

__all__ = ["CatalogueImportAdmin", "EndpointAdmin", "HealthcareServiceAdmin", "ServiceCapabilityAdmin"]
