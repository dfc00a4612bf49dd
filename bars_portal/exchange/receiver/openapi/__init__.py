"""The receiver's FHIR endpoints in OpenAPI 3.1, generated from what serves them, so it cannot drift."""

from bars_portal.exchange.receiver.openapi.document import describe as describe

__all__ = ["describe"]
