"""Staff pages of the directory."""

from directory.admin.catalogues import CatalogueImportAdmin
from directory.admin.services import (
    AccessRuleAdmin,
    CapabilityChangeAdmin,
    EndpointAdmin,
    HealthcareServiceAdmin,
    ServiceCapabilityAdmin,
)

__all__ = [
    "AccessRuleAdmin",
    "CapabilityChangeAdmin",
    "CatalogueImportAdmin",
    "EndpointAdmin",
    "HealthcareServiceAdmin",
    "ServiceCapabilityAdmin",
]
