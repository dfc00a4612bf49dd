"""What clinicians state in tests: one full request for each use case, and what hypothesis makes up."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from bars_portal.exchange.fhir.codes import (
    CAD_USE_CASES,
    SAFEGUARDING,
    SAFEGUARDING_SYSTEM,
    VALIDATION_USE_CASES,
    ARPPriority,
    DosRejectedReason,
    FlagCategory,
    HouseholdComposition,
    LocationType,
    SceneSafety,
    UseCase,
)
from referrals.cases.codes import Concept
from referrals.parts.applications import Need, Part, needs_of
from referrals.parts.assessment import Assessment, CallTimes, Expectations, Outcome, OutcomeKind, Stage
from referrals.parts.base import TimeFrame
from referrals.parts.content import RequestContent
from referrals.parts.flags import Flag
from referrals.parts.medication import (
    Allergies,
    Allergy,
    AllergyCategory,
    AllergyType,
    Medication,
    Medications,
    Severity,
    Stated,
)
from referrals.parts.observations import AgeUnit, BirthSex, EstimatedAge, Observation, Observations
from referrals.parts.places import Place, Position
from referrals.parts.problems import Condition, Note, Procedure, Task
from referrals.parts.questionnaires import (
    OWN_NOTE,
    NatureOfCall,
    PreTriage,
    RejectedService,
    Source,
    SpecialNote,
    YesNo,
)

SNOMED = "http://snomed.info/sct"
STARTED = datetime(2026, 11, 21, 8, 40, tzinfo=UTC)
PHARMACY = frozenset({UseCase.A5T1, UseCase.A5T2, UseCase.A5T3, UseCase.REFERRAL_TO_PHARMACY})

_assessment = Assessment(
    narrative="Chest pain since this morning.\nWorse on breathing in.",
    outcomes=(
        Outcome(
            OutcomeKind.DISPOSITION,
            Concept(
                "https://fhir.nhs.uk/CodeSystem/pathways-dx-codes",
                "Dx0122",
                "Emergency Ambulance Response (Category 3)",
            ),
        ),
        Outcome(OutcomeKind.PRESENTING_COMPLAINT, Concept(text="Chest pain")),
    ),
    priority=ARPPriority.C3,
    started_at=STARTED,
    disposition_at=STARTED + timedelta(minutes=9),
    case_number="N111-2026-000123",
)
_safeguarding = Flag(
    FlagCategory.SAFEGUARDING,
    Concept(SAFEGUARDING_SYSTEM, "836881000000105", SAFEGUARDING["836881000000105"], "Two small children"),
)
_scene = Flag(
    FlagCategory.SCENE_SAFETY, Concept(**SceneSafety.UNSAFE.coding, text="A large dog in the garden")
)
_incident = Place(
    name="Briggate corner",
    address_lines=("20 The Headrow",),
    town="Leeds",
    postcode="LS1 6PT",
    uprn="8755622",
    eastings="430123.5",
    northings="433456",
    what3words="filled.count.soap",
    position=Position(latitude=Decimal("53.79960"), longitude=Decimal("-1.54175")),
    accuracy_percent="80",
    directions="Behind the market hall",
)


def make_content(use_case: UseCase = UseCase.A1T1, **changes: object) -> RequestContent:
    """Everything that the use case allows, with `changes` to any part."""
    allowed = {part for part, need in needs_of(use_case).items() if need is not Need.ABSENT}
    parts = {name: value for part, (name, value) in _PARTS.items() if part in allowed}
    scene = (_scene,) if Part.SCENE_SAFETY in allowed else ()
    is_ambulance = use_case in CAD_USE_CASES
    incident = replace(_incident, confirmed_at=STARTED + timedelta(minutes=2) if is_ambulance else None)
    places = (incident,) if Part.INCIDENT in allowed else ()
    if Part.OTHER_PLACES in allowed:
        places = (*places, Place(type=LocationType.CALLER, postcode="LS1 4AP"))
    assessment = _assessment if Part.PRIORITY in allowed else replace(_assessment, priority=None)
    fields = {"assessment": assessment, "flags": (_safeguarding, *scene), "places": places, **parts}
    return RequestContent(use_case=use_case, **{**fields, **changes})  # type: ignore[arg-type]  # by name


_PARTS: dict[Part, tuple[str, object]] = {
    Part.STAGE: ("stage", Stage.FIRST_ALERT),
    Part.CALL_TIMES: ("call", CallTimes(connected_at=STARTED - timedelta(minutes=3))),
    Part.TIME_FRAME: ("time_frame", TimeFrame(STARTED, STARTED + timedelta(hours=2))),
    Part.MEDICATION: (
        "medications",
        Medications(Stated.LISTED, (Medication(Concept(text="Aspirin 75 mg"), "One a day", "Angina"),)),
    ),
    Part.ALLERGIES: (
        "allergies",
        Allergies(
            Stated.LISTED, (Allergy(Concept(SNOMED, "372687004", "Amoxicillin"), Concept(text="Rash")),)
        ),
    ),
    Part.OBSERVATIONS: (
        "observations",
        Observations(
            listed=(Observation(Concept(SNOMED, "271594007", "Syncope"), "Twice today"),),
            household=HouseholdComposition.LIVES_ALONE,
            birth_sex=BirthSex.FEMALE,
            estimated_age=EstimatedAge(Decimal("81")),
        ),
    ),
    Part.REJECTED_SERVICES: (
        "rejected_services",
        (RejectedService(DosRejectedReason.PATIENT_CHOICE, "200000359", "Elsewhere", "Too far"),),
    ),
    Part.SOURCES: (
        "sources",
        (
            Source("Graphnet", "https://records.example/"),
            Source(
                OWN_NOTE,
                note=SpecialNote("Big dog", "Ring twice, and wait.", date(2026, 3, 1), date(2027, 3, 1)),
            ),
        ),
    ),
    Part.EXPECTATIONS: ("expectations", Expectations("Call 999 if it gets worse", "To be seen today")),
    Part.CONDITION: ("condition", Condition(Concept(text="Vomiting"), date(2026, 11, 20))),
    Part.TASK: (
        "task",
        Task(
            Concept(SNOMED, "1577041000000109", "Community Pharmacist Consultation Service"),
            "Will call within a day",
            TimeFrame(STARTED, STARTED + timedelta(days=1)),
        ),
    ),
    Part.HELP_ASKED: ("help_asked", "Please send one vehicle"),
    Part.NATURE_OF_CALL: ("nature_of_call", NatureOfCall.ARREST),
    Part.PRE_TRIAGE: ("pre_triage", PreTriage(YesNo.YES, YesNo.NO, YesNo.YES)),
    Part.PROCEDURES: (
        "procedures",
        (
            Procedure(
                Concept(SNOMED, "89666000", "Cardiopulmonary resuscitation"), STARTED + timedelta(minutes=4)
            ),
        ),
    ),
    Part.NOTES: (
        "notes",
        (
            Note("A knife was seen", STARTED + timedelta(minutes=5)),
            Note("Crew on its way", STARTED + timedelta(minutes=6)),
        ),
    ),
    Part.BOOKING: ("booking_ids", ("3cac9cde-a262-42b3-bcf1-215ab79c3e37",)),
}

# -- what hypothesis makes up
_letters = st.characters(categories=["L", "N", "P", "S"])
_line = st.text(_letters, min_size=1, max_size=20)
_words = st.lists(_line, min_size=1, max_size=4).map("\n".join)
_optional = st.one_of(st.just(""), _words)
_moments = st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC)).map(  # noqa: DTZ001 - the strategy adds the zone
    lambda each: each.replace(microsecond=0)
)
_frames = st.builds(
    lambda start, hours: TimeFrame(start, start + timedelta(hours=hours)), _moments, st.integers(1, 99)
)
concepts = st.one_of(
    st.builds(Concept, text=_words),
    st.builds(
        Concept,
        system=st.just(SNOMED),
        code=st.from_regex(r"[1-9][0-9]{5,12}", fullmatch=True),
        display=_line,
        text=_optional,
    ).filter(lambda concept: concept.text != concept.display),
)
coded = concepts.filter(lambda concept: bool(concept.code))
_patient_flags = st.builds(
    Flag,
    category=st.sampled_from(
        sorted(set(FlagCategory) - {FlagCategory.SAFEGUARDING, FlagCategory.SCENE_SAFETY})
    ),
    concept=concepts,
    since=st.none() | _moments,
)
_safeguarding_flags = st.builds(
    lambda code, text: Flag(
        FlagCategory.SAFEGUARDING, Concept(SAFEGUARDING_SYSTEM, code, SAFEGUARDING[code], text)
    ),
    st.sampled_from(sorted(SAFEGUARDING)),
    _optional,
)
_scene_flags = st.builds(
    lambda code, text: Flag(FlagCategory.SCENE_SAFETY, Concept(**code.coding, text=text)),
    st.sampled_from(SceneSafety),
    _words,
)
_degrees = st.decimals(-90, 90, places=5)
_positions = st.builds(Position, latitude=_degrees, longitude=_degrees)
_address = st.lists(_line, min_size=1, max_size=3).map(tuple)
_wheres = st.one_of(
    st.fixed_dictionaries({"postcode": _line}),
    st.fixed_dictionaries({"postcode": _line, "address_lines": _address}),
    st.fixed_dictionaries({"uprn": st.from_regex(r"[0-9]{1,12}", fullmatch=True)}),
    st.fixed_dictionaries({"eastings": st.just("430123"), "northings": st.just("433456.25")}),
    st.fixed_dictionaries({"what3words": st.just("filled.count.soap")}),
    st.fixed_dictionaries({"position": _positions}),
)
_extras = st.fixed_dictionaries({"name": st.one_of(st.just(""), _line), "directions": _optional})


def places(kind: LocationType) -> st.SearchStrategy[Place]:
    return st.builds(lambda where, extra: Place(type=kind, **where, **extra), _wheres, _extras)


_since = st.sampled_from(("", "2019", "2026-03", "2026-03-01"))
_medications = st.one_of(
    st.sampled_from([Medications(), Medications(Stated.NONE_KNOWN)]),
    st.lists(st.builds(Medication, concepts, _optional, _optional, _since), min_size=1, max_size=3).map(
        lambda each: Medications(Stated.LISTED, tuple(each))
    ),
)
_kinds = (st.none() | st.sampled_from(AllergyType), st.none() | st.sampled_from(AllergyCategory))
_allergy = st.builds(Allergy, concepts, st.none(), *_kinds) | st.builds(
    Allergy, concepts, concepts, *_kinds, st.none() | st.sampled_from(Severity)
)
_allergies = st.one_of(
    st.sampled_from([Allergies(), Allergies(Stated.NONE_KNOWN)]),
    st.lists(_allergy, min_size=1, max_size=3).map(lambda each: Allergies(Stated.LISTED, tuple(each))),
)
_ages = st.builds(EstimatedAge, st.decimals(0, 150, places=1), st.sampled_from(AgeUnit))
_observations = st.builds(
    Observations,
    listed=st.lists(st.builds(Observation, concepts, _optional), max_size=3).map(tuple),
    household=st.none() | st.sampled_from(HouseholdComposition),
    birth_sex=st.none() | st.sampled_from(BirthSex),
    estimated_age=st.none() | _ages,
)
_rejected = st.builds(
    RejectedService,
    st.sampled_from(DosRejectedReason),
    st.just("200000359"),
    _optional.map(lambda s: s[:20].strip()),
    _optional,
)
_days = st.none() | st.dates(date(2000, 1, 1), date(2199, 12, 31))
_records = st.builds(Source, st.just("Graphnet"), st.sampled_from(("", "https://records.example/")))
_sources = _records | st.builds(
    Source, st.sampled_from((OWN_NOTE, "Trust")), note=st.builds(SpecialNote, _line, _optional, _days, _days)
)
_tasks = st.builds(Task, coded, _optional, st.none() | _frames)
_yes_no = st.sampled_from(YesNo)


@st.composite
def contents(draw: st.DrawFn) -> RequestContent:
    """Any request that its use case allows."""
    use_case = draw(st.sampled_from(UseCase))
    needs = needs_of(use_case)
    stage = draw(st.sampled_from(Stage)) if needs[Part.STAGE] is Need.REQUIRED else None
    needs = needs_of(use_case, is_triaged=stage in (Stage.TRIAGED, Stage.COMPLETE))

    def part(part: Part, strategy: st.SearchStrategy[Any], nothing: Any) -> Any:
        if needs[part] is Need.ABSENT:
            return nothing
        return draw(strategy if needs[part] is Need.REQUIRED else st.one_of(st.just(nothing), strategy))

    def several(which: Part, strategy: st.SearchStrategy[Any]) -> Any:
        return part(which, st.lists(strategy, min_size=1, max_size=3).map(tuple), ())

    outcomes = draw(
        st.lists(st.builds(Outcome, st.sampled_from(OutcomeKind), concepts), min_size=1, max_size=3)
    )
    if needs[Part.OUTCOMES] is Need.REQUIRED:
        outcomes.insert(0, draw(st.builds(Outcome, st.sampled_from(OutcomeKind), coded)))
    assessment = Assessment(
        narrative=part(Part.NARRATIVE, _words, ""),
        outcomes=tuple(outcomes) if Need.REQUIRED in (needs[Part.ASSESSMENT], needs[Part.OUTCOMES]) else (),
        priority=part(Part.PRIORITY, st.sampled_from(ARPPriority), None),
        started_at=draw(_moments),
        case_number=draw(st.one_of(st.just(""), _line)),
        triage_tool=draw(st.sampled_from(("", "Another tool"))),
        # After the call: the form asks for them in order.
        disposition_at=draw(st.none() | _moments.map(lambda each: each + timedelta(days=366))),
    )
    incidents = part(Part.INCIDENT, places(LocationType.INCIDENT).map(lambda each: (each,)), ())
    others = several(Part.OTHER_PLACES, places(LocationType.CALLER))
    scene = several(Part.SCENE_SAFETY, _scene_flags)[:1]
    flags = several(Part.FLAGS, st.one_of(_patient_flags, _safeguarding_flags))
    return RequestContent(
        use_case=use_case,
        assessment=assessment,
        stage=stage,
        call=part(Part.CALL_TIMES, st.builds(CallTimes, connected_at=_moments), CallTimes()),
        time_frame=part(Part.TIME_FRAME, _frames, None),
        flags=(*flags, *scene),
        medications=part(Part.MEDICATION, _medications, Medications()),
        allergies=part(Part.ALLERGIES, _allergies, Allergies()),
        observations=part(Part.OBSERVATIONS, _observations, Observations()),
        rejected_services=several(Part.REJECTED_SERVICES, _rejected),
        sources=several(Part.SOURCES, _sources),
        expectations=part(Part.EXPECTATIONS, st.builds(Expectations, _optional, _optional), Expectations()),
        places=(*incidents, *others),
        condition=part(
            Part.CONDITION, st.builds(Condition, concepts, st.none() | st.dates(date(2000, 1, 1))), None
        ),
        help_asked=part(Part.HELP_ASKED, _words, ""),
        task=part(Part.TASK, _tasks, None),
        nature_of_call=part(Part.NATURE_OF_CALL, st.sampled_from(NatureOfCall), None),
        pre_triage=part(
            Part.PRE_TRIAGE, st.builds(PreTriage, _yes_no, st.none() | _yes_no, st.none() | _yes_no), None
        ),
        procedures=several(Part.PROCEDURES, st.builds(Procedure, concepts, _moments)),
        notes=several(Part.NOTES, st.builds(Note, _words, _moments)),
        booking_ids=several(Part.BOOKING, st.uuids().map(str)),
    )


# Stands here so that tests name Applications, not codes.
FIRST_OF = {
    "emergency department": UseCase.A1T1,
    "clinical assessment": UseCase.A3T1,
    "validation": sorted(VALIDATION_USE_CASES)[0],
    "pharmacy": sorted(PHARMACY)[0],
    "ambulance": sorted(CAD_USE_CASES)[0],
}
