"""Code systems whose codes are all known here, for telling what a partner wrote differently.

Pathways, dispatch and reasonable adjustment codes are left out: what is published of them are samples.
"""

from __future__ import annotations

from collections.abc import Mapping

from bars_portal.exchange.fhir.codes.base import Coded
from bars_portal.exchange.fhir.codes.flags import (
    DosRejectedReason,
    FlagCategory,
    HouseholdComposition,
    LocationType,
    SceneSafety,
)
from bars_portal.exchange.fhir.codes.messages import ConsentCategory, MessageCategory
from bars_portal.exchange.fhir.codes.referrals import (
    ARPPriority,
    EncounterReason,
    RejectedReason,
    ResponseOutcome,
)
from bars_portal.exchange.fhir.codes.safeguarding import SAFEGUARDING, SAFEGUARDING_SYSTEM
from bars_portal.exchange.fhir.codes.usecases import UseCase

_ENUMS: tuple[type[Coded], ...] = (
    ARPPriority,
    ConsentCategory,
    DosRejectedReason,
    EncounterReason,
    FlagCategory,
    HouseholdComposition,
    LocationType,
    MessageCategory,
    RejectedReason,
    ResponseOutcome,
    SceneSafety,
    UseCase,
)


def _displays(enum: type[Coded]) -> tuple[str, dict[str, str]]:
    members = tuple(enum)
    return members[0].system, {member.value: member.display for member in members}


# System to code to display.
KNOWN_CODES: Mapping[str, Mapping[str, str]] = {
    **dict(map(_displays, _ENUMS)),
    SAFEGUARDING_SYSTEM: SAFEGUARDING,
}
