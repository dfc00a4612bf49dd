"""Every code that the portal reads or writes, with system and display; one module a theme."""

from __future__ import annotations

from bars_portal.exchange.fhir.codes.bookings import (
    AppointmentStatus,
    CancellationReason,
    DeliveryChannel,
    ParticipationStatus,
    SlotStatus,
)
from bars_portal.exchange.fhir.codes.bookings import ContactRelationship as ContactRelationship
from bars_portal.exchange.fhir.codes.bookings import Gender as Gender
from bars_portal.exchange.fhir.codes.bookings import NHSNumberStatus as NHSNumberStatus
from bars_portal.exchange.fhir.codes.bookings import TelecomSystem as TelecomSystem
from bars_portal.exchange.fhir.codes.bookings import TelecomUse as TelecomUse
from bars_portal.exchange.fhir.codes.known import KNOWN_CODES
from bars_portal.exchange.fhir.codes.known import SAFEGUARDING as SAFEGUARDING
from bars_portal.exchange.fhir.codes.known import SAFEGUARDING_SYSTEM as SAFEGUARDING_SYSTEM
from bars_portal.exchange.fhir.codes.messages import CAD_USE_CASES as CAD_USE_CASES
from bars_portal.exchange.fhir.codes.messages import REFERRAL_USE_CASES as REFERRAL_USE_CASES
from bars_portal.exchange.fhir.codes.messages import USE_CASE_SYSTEM as USE_CASE_SYSTEM
from bars_portal.exchange.fhir.codes.messages import VALIDATION_USE_CASES as VALIDATION_USE_CASES
from bars_portal.exchange.fhir.codes.messages import Coded as Coded
from bars_portal.exchange.fhir.codes.messages import (
    ConsentCategory,
    MessageCategory,
    MessageEvent,
    MessageReason,
)
from bars_portal.exchange.fhir.codes.messages import UseCase as UseCase
from bars_portal.exchange.fhir.codes.referrals import (
    ARPPriority,
    CarePlanStatus,
    EncounterReason,
    EncounterStatus,
    RejectedReason,
    ResponseOutcome,
    ServiceRequestStatus,
)
from bars_portal.exchange.fhir.codes.referrals import DosRejectedReason as DosRejectedReason
from bars_portal.exchange.fhir.codes.referrals import FlagCategory as FlagCategory
from bars_portal.exchange.fhir.codes.referrals import HouseholdComposition as HouseholdComposition
from bars_portal.exchange.fhir.codes.referrals import LocationType as LocationType
from bars_portal.exchange.fhir.codes.referrals import SceneSafety as SceneSafety

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
