"""Staff pages of the directory."""

from directory.admin.access import AccessRuleAdmin
from directory.admin.catalogues import CatalogueImportAdmin
from directory.admin.services import CapabilityChangeAdmin as CapabilityChangeAdmin
from directory.admin.services import EndpointAdmin as EndpointAdmin
from directory.admin.services import HealthcareServiceAdmin
from directory.admin.services import ServiceCapabilityAdmin as ServiceCapabilityAdmin

__all__ = [
    "AccessRuleAdmin",
    "CapabilityChangeAdmin",
    "CatalogueImportAdmin",
    "EndpointAdmin",
    "HealthcareServiceAdmin",
    "ServiceCapabilityAdmin",
]
