"""Reads of the directory."""

from directory.selectors.capabilities import (
    agreed_version_with,
    capability_of,
    changes_of,
    count_lately_stopped,
    last_stated,
)
from directory.selectors.places import Nearness, Origin, locate, position_of
from directory.selectors.search import MOST_COUNTED, FoundService, ServiceSearch, find_services
from directory.selectors.services import (
    endpoints_seen_by,
    facts_of,
    hosted_service,
    provider_organisations,
    receiving_service,
    service_by_id,
    service_ids_provided_by,
    services_seen_by,
)
from directory.selectors.serving import SERVING, serving_of
from directory.selectors.targets import resolve_target, why_unreachable

__all__ = [
    "MOST_COUNTED",
    "SERVING",
    "FoundService",
    "Nearness",
    "Origin",
    "ServiceSearch",
    "agreed_version_with",
    "capability_of",
    "changes_of",
    "count_lately_stopped",
    "endpoints_seen_by",
    "facts_of",
    "find_services",
    "hosted_service",
    "last_stated",
    "locate",
    "position_of",
    "provider_organisations",
    "receiving_service",
    "resolve_target",
    "service_by_id",
    "service_ids_provided_by",
    "services_seen_by",
    "serving_of",
    "why_unreachable",
]
