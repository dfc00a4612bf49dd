"""All that is stated for one request, as JSON keeps it; and whether the use case asks for it."""

from collections.abc import Callable
from typing import Any

from pydantic import TypeAdapter, ValidationError
from pydantic import dataclasses as checked

from bars_portal.exchange.fhir.codes import (
    FlagCategory,
    LocationType,
    MessageCategory,
    UseCase,
)
from bars_portal.exchange.fhir.rules.case import is_told_once
from referrals.cases.codes import STRICT, ResourceId, WordsOrNone
from referrals.parts.applications import Need, Part, application_of, needs_of
from referrals.parts.assessment import Assessment, CallTimes, Expectations, Stage
from referrals.parts.base import SNOMED, TimeFrame
from referrals.parts.flags import Flag
from referrals.parts.medication import Allergies, Medications, Stated
from referrals.parts.observations import Observations
from referrals.parts.people import Consent
from referrals.parts.places import Place
from referrals.parts.problems import Condition, Note, Procedure, Task
from referrals.parts.questionnaires import NatureOfCall, PreTriage, RejectedService, Source


@checked.dataclass(frozen=True, config=STRICT)
class RequestContent:
    """Everything but patient, parties and ids. `booking_ids`: Appointment ids of the receiver.

    `help_asked`: what a call assist or mutual aid asks for (ServiceRequest.category.text).
    """

    use_case: UseCase
    assessment: Assessment = Assessment()
    stage: Stage | None = None
    call: CallTimes = CallTimes()
    time_frame: TimeFrame | None = None
    flags: tuple[Flag, ...] = ()
    medications: Medications = Medications()
    allergies: Allergies = Allergies()
    observations: Observations = Observations()
    rejected_services: tuple[RejectedService, ...] = ()
    sources: tuple[Source, ...] = ()
    expectations: Expectations = Expectations()
    places: tuple[Place, ...] = ()
    condition: Condition | None = None
    help_asked: WordsOrNone = ""
    task: Task | None = None
    nature_of_call: NatureOfCall | None = None
    pre_triage: PreTriage | None = None
    procedures: tuple[Procedure, ...] = ()
    notes: tuple[Note, ...] = ()
    consent: Consent = Consent.IMPLIED
    booking_ids: tuple[ResourceId, ...] = ()

    @property
    def category(self) -> MessageCategory:
        return MessageCategory(application_of(self.use_case).category.value)


_ADAPTER = TypeAdapter(RequestContent)


class ContentInvalid(Exception):
    """`fields` names what is wrong, such as "places.0.uprn"; never what was stated there."""

    def __init__(self, fields: tuple[str, ...]) -> None:
        super().__init__(f"These parts of the request are missing or cannot be used: {', '.join(fields)}")
        self.fields = fields


def content_to_json(content: RequestContent) -> dict[str, Any]:
    """Plain JSON; numbers as text, so that none is rounded."""
    dumped: dict[str, Any] = _ADAPTER.dump_python(content, mode="json")
    return dumped


def content_from_json(stored: object) -> RequestContent:
    """Raises ContentInvalid."""
    try:
        return _ADAPTER.validate_python(_as_now_kept(stored))
    except ValidationError as error:
        found = (".".join(str(step) for step in each["loc"]) or "request" for each in error.errors())
        fields = tuple(dict.fromkeys(found))
    # Outside the handler: the library's own error, which holds what was stated, is not kept as its context.
    raise ContentInvalid(fields)


def _as_now_kept(stored: object) -> object:
    """Cases that stand were stored without the times of procedures and notes, and with metres at places."""
    if not isinstance(stored, dict):
        return stored
    kept = dict(stored)
    for name, only, change in _SINCE_CHANGED:
        if isinstance(kept.get(name), list):
            kept[name] = [change(each) if isinstance(each, only) else each for each in kept[name]]
    return kept


_SINCE_CHANGED: tuple[tuple[str, type, Callable[[Any], Any]], ...] = (
    ("procedures", dict, lambda each: each if "concept" in each else {"concept": each}),
    ("notes", str, lambda each: {"words": each}),
    # Metres say nothing of a percentage.
    ("places", dict, lambda each: {name: value for name, value in each.items() if name != "accuracy"}),
)


def check_parts(content: RequestContent) -> None:
    """Raises ContentInvalid naming the parts that are missing, or have no place in this use case."""
    is_triaged = content.stage in (Stage.TRIAGED, Stage.COMPLETE)
    stated, needs = _stated(content), needs_of(content.use_case, is_triaged=is_triaged)
    missing = [part for part, need in needs.items() if need is Need.REQUIRED and part not in stated]
    too_much = [part for part in sorted(stated) if needs[part] is Need.ABSENT]
    incidents = [place for place in content.places if place.type is LocationType.INCIDENT]
    if len(incidents) > 1 or not _places_are_clear(content):
        too_much.append(Part.INCIDENT)
    if not all(place.says_where for place in incidents):
        missing.append(Part.INCIDENT)
    task = content.task
    if task is not None and application_of(content.use_case).is_ordered and task.concept.system != SNOMED:
        missing.append(Part.TASK)
    if Part.SCENE_SAFETY in stated and not content.places and Part.SCENE_SAFETY not in too_much:
        missing.append(Part.INCIDENT)
    if missing or too_much:
        raise ContentInvalid(tuple(dict.fromkeys(part.value for part in (*missing, *too_much))))


def _places_are_clear(content: RequestContent) -> bool:
    """Standard section 12, "Location of a validation request"; a referral may say it in many ways."""
    validates = content.category is MessageCategory.VALIDATION
    return not validates or all(is_told_once(place.ways) for place in content.places)


def _stated(content: RequestContent) -> frozenset[Part]:
    frame = content.time_frame
    scene = [flag for flag in content.flags if flag.category is FlagCategory.SCENE_SAFETY]
    found = {
        Part.ASSESSMENT: content.assessment.is_stated,
        Part.OUTCOMES: any(each.concept.code for each in content.assessment.outcomes),
        Part.NARRATIVE: content.assessment.narrative,
        Part.PRIORITY: content.assessment.priority,
        Part.STAGE: content.stage,
        Part.CALL_TIMES: content.call.is_stated,
        Part.TIME_FRAME: frame,
        Part.BREACH_TIME: frame and frame.end,
        Part.FLAGS: len(content.flags) > len(scene),
        Part.SCENE_SAFETY: scene,
        Part.MEDICATION: content.medications.stated is not Stated.NOT_STATED,
        Part.ALLERGIES: content.allergies.stated is not Stated.NOT_STATED,
        Part.OBSERVATIONS: content.observations.is_stated,
        Part.REJECTED_SERVICES: content.rejected_services,
        Part.SOURCES: content.sources,
        Part.EXPECTATIONS: content.expectations.is_stated,
        Part.INCIDENT: [each for each in content.places if each.type is LocationType.INCIDENT],
        Part.OTHER_PLACES: [each for each in content.places if each.type is not LocationType.INCIDENT],
        Part.CONDITION: content.condition,
        Part.HELP_ASKED: content.help_asked,
        Part.TASK: content.task,
        Part.NATURE_OF_CALL: content.nature_of_call,
        Part.PRE_TRIAGE: content.pre_triage,
        Part.PROCEDURES: content.procedures,
        Part.NOTES: content.notes,
        Part.BOOKING: content.booking_ids,
    }
    return frozenset(part for part, value in found.items() if value)
