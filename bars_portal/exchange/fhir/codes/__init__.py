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
from bars_portal.exchange.fhir.codes.flags import (
    DosRejectedReason,
    FlagCategory,
    HouseholdComposition,
    LocationType,
    SceneSafety,
)
from bars_portal.exchange.fhir.codes.known import KNOWN_CODES
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
from bars_portal.exchange.fhir.codes.referrals import (
    ARPPriority,
    CarePlanStatus,
    EncounterReason,
    EncounterStatus,
    RejectedReason,
    ResponseOutcome,
    ServiceRequestStatus,
)
from bars_portal.exchange.fhir.codes.safeguarding import SAFEGUARDING, SAFEGUARDING_SYSTEM
from bars_portal.exchange.fhir.codes.usecases import (
    CAD_USE_CASES,
    REFERRAL_USE_CASES,
    USE_CASE_SYSTEM,
    VALIDATION_USE_CASES,
    UseCase,
)

__all__ = [
    "CAD_USE_CASES",
    "KNOWN_CODES",
    "REFERRAL_USE_CASES",
    "SAFEGUARDING",
    "SAFEGUARDING_SYSTEM",
    "USE_CASE_SYSTEM",
    "VALIDATION_USE_CASES",
    "ARPPriority",
    "AppointmentStatus",
    "CancellationReason",
    "CarePlanStatus",
    "Coded",
    "ConsentCategory",
    "ContactRelationship",
    "DeliveryChannel",
    "DosRejectedReason",
    "EncounterReason",
    "EncounterStatus",
    "FlagCategory",
    "Gender",
    "HouseholdComposition",
    "LocationType",
    "MessageCategory",
    "MessageEvent",
    "MessageReason",
    "NHSNumberStatus",
    "ParticipationStatus",
    "RejectedReason",
    "ResponseOutcome",
    "SceneSafety",
    "ServiceRequestStatus",
    "SlotStatus",
    "TelecomSystem",
    "TelecomUse",
    "UseCase",
]
