"""The searches that a receiver answers, one module each (standard section 7)."""

from __future__ import annotations

from bars_portal.exchange.fhir.queries.appointments import AppointmentQuery, Demographics
from bars_portal.exchange.fhir.queries.definitions import DefinitionQuery
from bars_portal.exchange.fhir.queries.service_requests import RequestIdentifier, ServiceRequestQuery
from bars_portal.exchange.fhir.queries.slots import SlotInclude, SlotQuery

__all__ = [
    "AppointmentQuery",
    "DefinitionQuery",
    "Demographics",
    "RequestIdentifier",
    "ServiceRequestQuery",
    "SlotInclude",
    "SlotQuery",
]
