"""The whole of what is stated for one request."""

from enum import StrEnum
from typing import Self

from pydantic import model_validator
from pydantic.dataclasses import dataclass

from bars_portal.exchange.fhir.codes import VALIDATION_USE_CASES, EncounterStatus, MessageCategory, UseCase
from referrals.content.assessment import Assessment, Condition, Expectations
from referrals.content.base import STRICT, Concept, Moment, ResourceId, Words, WordsOrNone
from referrals.content.flags import Flag
from referrals.content.medication import Allergies, Medications
from referrals.content.observations import Observations
from referrals.content.places import Place
from referrals.content.questionnaires import NatureOfCall, PreTriage, RejectedService


class Stage(StrEnum):
    """How far an ambulance control is with the call (standard section 6, Application 6): Encounter.status."""

    FIRST_ALERT = EncounterStatus.IN_PROGRESS.value
    TRIAGED = EncounterStatus.TRIAGED.value
    COMPLETE = EncounterStatus.FINISHED.value

    @property
    def label(self) -> str:
        return {"in-progress": "First alert", "triaged": "Triaged", "finished": "Fully triaged"}[self]


class Consent(StrEnum):
    """On what ground the patient's data is shared for direct care: Consent.policyRule (v3-ActCode)."""

    IMPLIED = "IMPLIED"
    GIVEN = "OPTIN"


@dataclass(frozen=True, config=STRICT)
class TimeFrame:
    """ServiceRequest.occurrencePeriod; after `end` a validation breaches."""

    start: Moment
    end: Moment | None = None

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.end is not None and self.end <= self.start:
            raise ValueError("The end must be after the start.")
        return self


@dataclass(frozen=True, config=STRICT)
class Task:
    """What is asked of a pharmacy or a crew, and when (Task.restriction.period)."""

    concept: Concept
    description: WordsOrNone = ""
    period: TimeFrame | None = None


@dataclass(frozen=True, config=STRICT)
class RequestContent:
    """Everything but patient, parties and ids. `booking_ids`: Appointment ids of the receiver."""

    use_case: UseCase
    assessment: Assessment = Assessment()
    stage: Stage | None = None
    time_frame: TimeFrame | None = None
    flags: tuple[Flag, ...] = ()
    medications: Medications = Medications()
    allergies: Allergies = Allergies()
    observations: Observations = Observations()
    rejected_services: tuple[RejectedService, ...] = ()
    expectations: Expectations = Expectations()
    places: tuple[Place, ...] = ()
    condition: Condition | None = None
    task: Task | None = None
    nature_of_call: NatureOfCall | None = None
    pre_triage: PreTriage | None = None
    procedures: tuple[Concept, ...] = ()
    notes: tuple[Words, ...] = ()
    consent: Consent = Consent.IMPLIED
    booking_ids: tuple[ResourceId, ...] = ()

    @property
    def category(self) -> MessageCategory:
        validates = self.use_case in VALIDATION_USE_CASES
        return MessageCategory.VALIDATION if validates else MessageCategory.REFERRAL
