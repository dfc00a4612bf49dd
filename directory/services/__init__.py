"""The only writers of the directory."""

from directory.services.capabilities import clear_capability, keep_capability
from directory.services.changing import create_endpoint, create_service, save_endpoint, save_service
from directory.services.contacts import record_contact, record_no_contact
from directory.services.importing import (
    CatalogueMoved,
    Preview,
    apply_catalogue,
    differences_of,
    preview_catalogue,
)

__all__ = [
    "CatalogueMoved",
    "Preview",
    "apply_catalogue",
    "clear_capability",
    "create_endpoint",
    "create_service",
    "differences_of",
    "keep_capability",
    "preview_catalogue",
    "record_contact",
    "record_no_contact",
    "save_endpoint",
    "save_service",
]
