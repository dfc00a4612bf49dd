"""Answers to set questions: of ambulance controls, and why offered services were not taken."""

from enum import StrEnum

from pydantic.dataclasses import dataclass

from bars_portal.exchange.fhir.codes import DosRejectedReason
from referrals.content.base import STRICT, LineOrNone, WordsOrNone


class YesNo(StrEnum):
    YES = "yes"
    NO = "no"


class NatureOfCall(StrEnum):
    """Questionnaire NOC: the code; `label` is its display."""

    CHOKING = "CHOM"
    HAEMORRHAGE = "DAHM"
    DROWNING = "DROM"
    FITTING = "FINM"
    HANGING = "HANM"
    PROFESSIONAL_C1 = "HI1M"
    INEFFECTIVE_BREATHING = "INBM"
    MAJOR_TRAUMA = "MATM"
    MATERNITY = "MACM"
    MEDICAL_UNCONSCIOUS = "MEUM"
    ALLERGIC_REACTION = "SARM"
    TRAUMA_UNCONSCIOUS = "TRUM"
    ANAPHYLAXIS = "ANAP"
    ARREST = "AP1P"
    ASTHMA = "ALTP"
    OBSTETRIC = "OBEP"
    HAEMORRHAGE_UNDER_5 = "5SHP"
    UNCONSCIOUS_UNDER_16 = "16UP"
    UNCONSCIOUS_PREGNANT = "UNPP"

    @property
    def label(self) -> str:
        return _NATURES[self]


_NATURES = {
    NatureOfCall.CHOKING: "Choking",
    NatureOfCall.HAEMORRHAGE: "Dangerous Haemorrhage",
    NatureOfCall.DROWNING: "Drowning",
    NatureOfCall.FITTING: "Fitting now",
    NatureOfCall.HANGING: "Hanging",
    NatureOfCall.PROFESSIONAL_C1: "HCP /IFT C1",
    NatureOfCall.INEFFECTIVE_BREATHING: "Ineffective Breathing",
    NatureOfCall.MAJOR_TRAUMA: "Major Trauma",
    NatureOfCall.MATERNITY: "Maternity Complications",
    NatureOfCall.MEDICAL_UNCONSCIOUS: "Medical (unconscious)",
    NatureOfCall.ALLERGIC_REACTION: "Severe Allergic Reaction",
    NatureOfCall.TRAUMA_UNCONSCIOUS: "Trauma (unconscious)",
    NatureOfCall.ANAPHYLAXIS: "Anaphylaxis (potential)",
    NatureOfCall.ARREST: "Arrest/ Peri Arrest (Cat1)",
    NatureOfCall.ASTHMA: "Asthma (life threatening)",
    NatureOfCall.OBSTETRIC: "Obstetric Emergency",
    NatureOfCall.HAEMORRHAGE_UNDER_5: "Under 5 Severe Haemorrhage",
    NatureOfCall.UNCONSCIOUS_UNDER_16: "Under 16 unconscious",
    NatureOfCall.UNCONSCIOUS_PREGNANT: "Unconscious pregnant > 20 weeks",
}


@dataclass(frozen=True, config=STRICT)
class PreTriage:
    """Questionnaire PTS, the pre-triage sieve; None: not answered. Who does not breathe is asked no more."""

    breathing: YesNo
    conscious: YesNo | None = None
    noisy: YesNo | None = None


@dataclass(frozen=True, config=STRICT)
class RejectedService:
    """A service that was offered and not taken; `service_id` is its DoS id."""

    reason: DosRejectedReason
    service_id: LineOrNone = ""
    name: LineOrNone = ""
    comment: WordsOrNone = ""
