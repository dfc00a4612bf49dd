"""Every code that the portal reads or writes, with system and display; one module a theme."""

from __future__ import annotations

from bars_portal.exchange.fhir.codes.base import Coded
from bars_portal.exchange.fhir.codes.bookings import (
    AppointmentStatus,
    CancellationReason,
    DeliveryChannel,
    ParticipationStatus,
    SlotStatus,
)
from bars_portal.exchange.fhir.codes.messages import (
    ConsentCategory,
    MessageCategory,
    MessageEvent,
    MessageReason,
)
from bars_portal.exchange.fhir.codes.people import (
    ContactRelationship,
    Gender,
    NHSNumberStatus,
    TelecomSystem,
    TelecomUse,
)
from bars_portal.exchange.fhir.codes.usecases import USE_CASE_SYSTEM, UseCase

__all__ = [
    "USE_CASE_SYSTEM",
    "AppointmentStatus",
    "CancellationReason",
    "Coded",
    "ConsentCategory",
    "ContactRelationship",
    "DeliveryChannel",
    "Gender",
    "MessageCategory",
    "MessageEvent",
    "MessageReason",
    "NHSNumberStatus",
    "ParticipationStatus",
    "SlotStatus",
    "TelecomSystem",
    "TelecomUse",
    "UseCase",
]
