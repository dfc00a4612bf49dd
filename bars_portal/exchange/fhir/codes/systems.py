"""Code systems whose codes are all known here, for telling what a partner wrote differently.

Pathways, dispatch and reasonable adjustment codes are left out: what is published of them are samples.
"""

from __future__ import annotations

from collections.abc import Mapping

from bars_portal.exchange.fhir.codes.messages import Coded, ConsentCategory, MessageCategory, UseCase
from bars_portal.exchange.fhir.codes.referrals import (
    ARPPriority,
    DosRejectedReason,
    EncounterReason,
    FlagCategory,
    HouseholdComposition,
    LocationType,
    RejectedReason,
    ResponseOutcome,
    SceneSafety,
)

SAFEGUARDING_SYSTEM = "https://fhir.nhs.uk/CodeSystem/safeguarding-codes-bars"
# In Flag.code (safeguarding-codes-bars 1.0.0): too many, and too alike, to deserve a name each.
SAFEGUARDING: Mapping[str, str] = {
    "836881000000105": "Child is cause for safeguarding concern (finding)",
    "U": "Unspecified Safeguarding Concern Identified",
    "297591000000108": "Alleged victim of sexual assault (situation)",
    "736792008": "At risk of honor based violence (finding)",
    "401206008": "At risk for deliberate self harm (finding)",
    "702953007": "Suspected victim of child neglect (situation)",
    "702579009": "Suspected victim of sexual abuse (situation)",
    "707087005": "At risk of domestic violence (finding)",
    "881081000000100": "Domestic abuse victim in household (finding)",
    "838481000000106": "At risk of institutional abuse (finding)",
    "697951004": "Suspected victim of emotional abuse (situation)",
    "697950003": "Suspected domestic abuse (situation)",
    "697949003": "Suspected victim of physical abuse (situation)",
    "1054321000000100": "At risk of forced marriage (finding)",
    "766969008": "At risk of radicalization (finding)",
    "415685003": "Suspected alcohol abuse (situation)",
    "761571000000106": "At risk of financial abuse (finding)",
    "449889006": "Delay in seeking medical advice (finding)",
    "300731000000106": "Family is cause for concern (finding)",
    "878111000000109": "Unborn child is cause for safeguarding concern (finding)",
    "861931000000100": "No safeguarding issues identified (finding)",
    "713201008": "At risk of female genital mutilation (finding)",
    "919461000000108": "At risk of sexual exploitation (finding)",
    "700254002": "Suspected victim of child sexual abuse (situation)",
    "700253008": "Suspected victim of sexual grooming (situation)",
    "700255001": "Suspected non-accidental injury to child (situation)",
    "1076171000000100": "Carer behavior is cause for safeguarding concern (situation)",
    "293161000000103": "Family history of alcohol misuse (situation)",
    "416936003": "At risk of physical abuse (finding)",
    "766561000000109": "Adult safeguarding concern (finding)",
    "417361000": "At risk of sexual abuse (finding)",
    "771983008": "At risk of psychological abuse (finding)",
    "771984002": "At risk of emotional abuse (finding)",
    "864491000000105": "Has child subject of child protection plan (situation)",
    "826931000000104": "Frequent attender of accident and emergency department (finding)",
    "417427001": "At risk of discriminatory abuse (finding)",
    "417430008": "Vulnerable adult (finding)",
    "771385008": "Suspected victim of bullying (situation)",
    "104586100000100": "At risk of human trafficking (finding)",
    "129707006": "At risk for other-directed violence (finding)",
    "287351000000105": "Family history of substance misuse (situation)",
    "375041000000100": "Family member subject of child protection plan (situation)",
    "248054003": "Self-neglect (finding)",
    "162596006": "Suspected victim of child abuse (situation)",
    "162591001": "Suspected drug abuse (situation)",
    "777996001": "Alleged being subjected to abuse (situation)",
}

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


# System to code to display.
KNOWN_CODES: Mapping[str, Mapping[str, str]] = {
    SAFEGUARDING_SYSTEM: SAFEGUARDING,
    **{next(iter(each)).system: {code.value: code.display for code in each} for each in _ENUMS},
}
