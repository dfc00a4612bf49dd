"""The call and what its assessment came to: times, codes, narrative, priority, what the patient was told."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from enum import StrEnum

from pydantic import dataclasses as checked

from bars_portal.correspondence.entries import Entry
from bars_portal.exchange.fhir.bundle import MessageBundle, Resource
from bars_portal.exchange.fhir.codes import ARPPriority, CarePlanStatus, EncounterStatus
from bars_portal.exchange.fhir.identifiers import same_system
from bars_portal.exchange.fhir.json import as_dict, as_text, codings, dicts
from bars_portal.exchange.fhir.timestamps import format_instant
from referrals.cases.codes import STRICT, Concept, LineOrNone, Moment, WordsOrNone
from referrals.cases.states import Labelled
from referrals.cases.wire import CODE, instant
from referrals.parts.base import Frame, code_in, concept_of, concept_to_fhir, each_tried, filled, tried
from referrals.parts.observations import WISHES


class Stage(StrEnum):
    """How far an ambulance control is with its call: Encounter.status of a request of Application 6."""

    FIRST_ALERT = EncounterStatus.IN_PROGRESS.value
    TRIAGED = EncounterStatus.TRIAGED.value
    COMPLETE = EncounterStatus.FINISHED.value

    @property
    def label(self) -> str:
        return {
            "in-progress": "The call is still running",
            "triaged": "The call has ended",
            "finished": "The case is closed here",
        }[self]


@checked.dataclass(frozen=True, config=STRICT)
class CallTimes:
    """Times before the triage, each with a meaning of its own and None where it is not known.

    `began_at`: BTStartTime; `connected_at`: T0, call connect; `answered_at`: T1, call answer.
    """

    began_at: Moment | None = None
    connected_at: Moment | None = None
    answered_at: Moment | None = None

    @property
    def is_stated(self) -> bool:
        return any((self.began_at, self.connected_at, self.answered_at))

    @property
    def contact_at(self) -> datetime | None:
        """Encounter.period.start of a call: T0, else T1."""
        return self.connected_at or self.answered_at


# Encounter.statusHistory of a request of Application 6: status and the time that it stands for.
HISTORY: Mapping[EncounterStatus, str] = {
    EncounterStatus.PLANNED: "began_at",
    EncounterStatus.ARRIVED: "connected_at",
    EncounterStatus.IN_PROGRESS: "answered_at",
}


def status_history(call: CallTimes) -> list[Resource]:
    """Encounter.statusHistory, in the order of the call."""
    known = ((status, getattr(call, name)) for status, name in HISTORY.items())
    return [{"status": status.value, "period": {"start": format_instant(at)}} for status, at in known if at]


class OutcomeKind(Labelled):
    """What a triage outcome is; CarePlan...outcomeCodeableConcept.text says it before the words."""

    SYMPTOM_DISCRIMINATOR = "sd", "Symptom discriminator"
    DISPOSITION = "dx", "Disposition"
    SYMPTOM_GROUP = "sg", "Symptom group"
    PRESENTING_COMPLAINT = "complaint", "Presenting complaint"
    DISPATCH = "dispatch", "Dispatch code"
    OTHER = "other", "Triage outcome"


@checked.dataclass(frozen=True, config=STRICT)
class Outcome:
    """One triage outcome, such as a code of pathways-dx-codes."""

    kind: OutcomeKind
    concept: Concept


@checked.dataclass(frozen=True, config=STRICT)
class Assessment:
    """`started_at` is when triage began, `disposition_at` when it was reached what the patient needs: the
    start of the clock (T5). `case_number` is our own for the call. `triage_tool`: the decision support that
    it was made with, "" for that of this installation.
    """

    narrative: WordsOrNone = ""
    outcomes: tuple[Outcome, ...] = ()
    priority: ARPPriority | None = None
    started_at: Moment | None = None
    case_number: LineOrNone = ""
    disposition_at: Moment | None = None
    triage_tool: LineOrNone = ""
    triage_tool_version: LineOrNone = ""

    @property
    def is_stated(self) -> bool:
        return bool(self.narrative or self.outcomes or self.priority)


@checked.dataclass(frozen=True, config=STRICT)
class Expectations:
    """`told`: ServiceRequest.patientInstruction; `wishes`: what the patient hopes for (an Observation)."""

    told: WordsOrNone = ""
    wishes: WordsOrNone = ""

    @property
    def is_stated(self) -> bool:
        return bool(self.told or self.wishes)


Supporting = Sequence[tuple[str, str]]


def plan_entry(
    frame: Frame,
    assessment: Assessment,
    *,
    is_open: bool,
    is_clinical: bool,
    because: str,
    to_do: str,
    supporting: Supporting,
) -> Entry:
    """`because` and `to_do` name the condition and the task, "" for none.

    `is_clinical`: whoever made it is a clinician, and so its author; nobody else is one.
    `supporting`: fullUrl and words of the flags and observations that belong to the assessment.
    """
    activity = filled(
        {
            "outcomeCodeableConcept": _outcomes(assessment),
            "reference": frame.ref(to_do) if to_do else {},
        }
    )
    plan = {
        **frame.head("CarePlan"),
        "status": (CarePlanStatus.ACTIVE if is_open else CarePlanStatus.COMPLETED).value,
        "intent": "plan",
        "subject": frame.ref("patient"),
        "encounter": frame.ref("encounter"),
        "period": {"start": format_instant(assessment.disposition_at)} if assessment.disposition_at else {},
        "author": frame.ref("role") if is_clinical else {},
        "addresses": [frame.ref(because)] if because else [],
        "supportingInfo": [{"reference": url, "display": words} for url, words in supporting],
        "activity": [activity] if activity else [],
    }
    return frame.url("plan"), filled(plan)


def _outcomes(assessment: Assessment) -> list[Resource]:
    coded = [_outcome(each) for each in assessment.outcomes]
    priority = [{"coding": [assessment.priority.coding]}] if assessment.priority else []
    narrative = [{"text": assessment.narrative}] if assessment.narrative else []
    return [*coded, *priority, *narrative]


def _outcome(outcome: Outcome) -> Resource:
    """What kind of code it is stands before its words: `kind_and_words` takes them apart."""
    text = f"{outcome.kind.label}{_SAYS}{outcome.concept.text}".removesuffix(_SAYS)
    return {**concept_to_fhir(outcome.concept), "text": text}


_ARP_SYSTEM = ARPPriority.C1.system


def priority_of(bundle: MessageBundle, request: Resource) -> str:
    """The ambulance response priority of the plan, else ServiceRequest.priority."""
    found = (
        as_text(coding.get("code"))
        for coding in _outcome_codings(bundle)
        if same_system(as_text(coding.get("system")), _ARP_SYSTEM)
    )
    return next(found, as_text(request.get("priority")))[:CODE]


def outcomes_of(bundle: MessageBundle) -> list[dict[str, str]]:
    """CarePlan.activity.outcomeCodeableConcept: every code, and words that have none."""
    listed: list[dict[str, str]] = []
    for concept in outcome_concepts(bundle):
        text = as_text(concept.get("text"))
        named = [
            {name: as_text(coding.get(name)) for name in ("system", "code", "display")} | {"text": text}
            for coding in dicts(concept.get("coding"))
        ]
        listed += named or ([{"system": "", "code": "", "display": "", "text": text}] if text else [])
    return listed


def plan_of(bundle: MessageBundle) -> Resource | None:
    return next(iter(bundle.of_type("CarePlan")), None)


def clock_start(bundle: MessageBundle) -> datetime | None:
    """CarePlan.period.start (standard section 9, workflow 4)."""
    return instant(as_dict((plan_of(bundle) or {}).get("period")).get("start"))


def outcome_concepts(bundle: MessageBundle) -> Iterator[Resource]:
    """Every CarePlan.activity.outcomeCodeableConcept."""
    for plan in bundle.of_type("CarePlan"):
        for activity in dicts(plan.get("activity")):
            yield from dicts(activity.get("outcomeCodeableConcept"))


def _outcome_codings(bundle: MessageBundle) -> Iterator[Resource]:
    return (coding for concept in outcome_concepts(bundle) for coding in dicts(concept.get("coding")))


_KINDS: Mapping[str, OutcomeKind] = {
    "pathways-dx-codes": OutcomeKind.DISPOSITION,
    "pathways-sd-codes": OutcomeKind.SYMPTOM_DISCRIMINATOR,
    "pathways-sg-codes": OutcomeKind.SYMPTOM_GROUP,
    "pathways-pathway-codes": OutcomeKind.PRESENTING_COMPLAINT,
    "ampds-dispatch-codes": OutcomeKind.DISPATCH,
}
_SAYS = ": "


def kind_of_system(system: str) -> OutcomeKind:
    """What a code of this system is."""
    return _KINDS.get(system.rsplit("/", 1)[-1], OutcomeKind.OTHER)


def kind_and_words(text: str) -> tuple[OutcomeKind | None, str]:
    """The text of an outcome as we write it: its kind and its words, "" for none. None: not ours."""
    for kind in OutcomeKind:
        if text == kind.label or text.startswith(f"{kind.label}{_SAYS}"):
            return kind, text[len(kind.label) + len(_SAYS) :]
    return None, text


def complaints_of(bundle: MessageBundle) -> list[str]:
    """Outcomes that are said to be the presenting complaint: the displays of their codes, and their words."""
    found: list[str] = []
    for concept in outcome_concepts(bundle):
        kind, words = kind_and_words(as_text(concept.get("text")))
        if kind is OutcomeKind.PRESENTING_COMPLAINT:
            found += [as_text(each.get("display")) for each in dicts(concept.get("coding"))] + [words]
    return [each for each in found if each]


def carried_assessment(bundle: MessageBundle, request_priority: bool) -> Assessment:
    """Without clock and case number: those are of the new call. Words of no kind are the narrative."""
    coded, words = [], []
    priority: ARPPriority | None = None
    for concept in outcome_concepts(bundle):
        arp = ARPPriority.lookup(code_in(concept, ARPPriority.C1.system))
        if arp is not None:
            priority = priority or arp
        elif any(codings(concept)) or all(kind_and_words(as_text(concept.get("text")))):
            coded.append(concept)
        else:
            words.append(as_text(concept.get("text")))
    made = tried(
        lambda: Assessment(
            narrative="\n\n".join(filter(None, words)),
            outcomes=each_tried(_read_outcome, coded),
            priority=priority if request_priority else None,
        )
    )
    return made or Assessment()


def carried_expectations(bundle: MessageBundle, request: Resource) -> Expectations:
    """ServiceRequest.patientInstruction, and the wishes that we ourselves would send."""
    wishes = (
        as_text(each.get("valueString"))
        for each in bundle.of_type("Observation")
        if as_text((each.get("code") or {}).get("text")) == WISHES
    )
    told = as_text(request.get("patientInstruction"))
    return tried(lambda: Expectations(told, next(wishes, ""))) or Expectations()


def _read_outcome(concept: Resource) -> Outcome:
    """Its kind is told by its text, where that is ours, or by the system of its code."""
    kind, words = kind_and_words(as_text(concept.get("text")))
    read = concept_of({**concept, "text": words})
    return Outcome(kind or kind_of_system(read.system), read)
