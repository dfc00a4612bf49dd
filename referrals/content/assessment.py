"""What the assessment came to: codes, narrative, complaint, priority, and what the patient was told."""

from datetime import date
from enum import StrEnum

from pydantic.dataclasses import dataclass

from bars_portal.exchange.fhir.codes import ARPPriority
from referrals.content.base import STRICT, Concept, LineOrNone, Moment, WordsOrNone


class OutcomeKind(StrEnum):
    """What a triage outcome code is; its words go with the code (CarePlan...outcomeCodeableConcept.text)."""

    SYMPTOM_DISCRIMINATOR = "sd"
    DISPOSITION = "dx"
    SYMPTOM_GROUP = "sg"
    PRESENTING_COMPLAINT = "complaint"
    DISPATCH = "dispatch"
    OTHER = "other"

    @property
    def label(self) -> str:
        return _LABELS[self]


_LABELS = {
    OutcomeKind.SYMPTOM_DISCRIMINATOR: "Symptom discriminator",
    OutcomeKind.DISPOSITION: "Disposition",
    OutcomeKind.SYMPTOM_GROUP: "Symptom group",
    OutcomeKind.PRESENTING_COMPLAINT: "Presenting complaint",
    OutcomeKind.DISPATCH: "Dispatch code",
    OutcomeKind.OTHER: "Triage outcome",
}


@dataclass(frozen=True, config=STRICT)
class Outcome:
    """One triage outcome, such as a code of pathways-dx-codes."""

    kind: OutcomeKind
    concept: Concept


@dataclass(frozen=True, config=STRICT)
class Assessment:
    """`started_at` is when triage began: the start of the clock. `case_number` is our own for the call."""

    narrative: WordsOrNone = ""
    outcomes: tuple[Outcome, ...] = ()
    priority: ARPPriority | None = None
    started_at: Moment | None = None
    case_number: LineOrNone = ""

    @property
    def is_stated(self) -> bool:
        return bool(self.narrative or self.outcomes or self.priority)


@dataclass(frozen=True, config=STRICT)
class Condition:
    """The presenting complaint as a Condition: pharmacy and ambulance."""

    concept: Concept
    onset: date | None = None


@dataclass(frozen=True, config=STRICT)
class Expectations:
    """`told`: ServiceRequest.patientInstruction; `wishes`: what the patient hopes for (an Observation)."""

    told: WordsOrNone = ""
    wishes: WordsOrNone = ""

    @property
    def is_stated(self) -> bool:
        return bool(self.told or self.wishes)
