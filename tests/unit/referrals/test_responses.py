"""Our responses over what may be said: sound by our own rules, and read back as they were meant."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from bars_portal.exchange.fhir.bundle import HeaderFacts, MessageBundle
from bars_portal.exchange.fhir.codes import (
    SAFEGUARDING,
    ARPPriority,
    EncounterStatus,
    FlagCategory,
    RejectedReason,
    SceneSafety,
    UseCase,
)
from bars_portal.exchange.fhir.identifiers import ServiceID
from bars_portal.exchange.fhir.rules import HostedService, judge, table
from bars_portal.exchange.fhir.structure import check_structure
from bars_portal.patients.mapping import patient_to_fhir
from directory.mapping import organisation_to_fhir
from referrals.cases.states import CaseEvent, Category, ReplyKind
from referrals.cases.wire import HeldRequest
from referrals.parts.assessment import OutcomeKind
from referrals.parts.base import Incomplete
from referrals.parts.flags import RaisedFlag
from referrals.parts.people import Organisations, Responder
from referrals.parts.places import CurrentPlace
from referrals.receiving.mapping import ReceivedResponse, parse_response
from referrals.responding.bundles import build_response
from referrals.responding.content import (
    CadStatus,
    Disposition,
    NonAttendance,
    Outcome,
    Rejection,
    ResponseContent,
    Started,
    TriageCode,
    read_content,
    store_content,
)
from referrals.responding.delivery import MESSAGE_KEYS
from referrals.responding.envelope import Envelope
from tests.factories.patients import DETAILS
from tests.profiles import examples

NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)
CASE = UUID("c0ffee00-0000-4000-8000-000000000001")
ASKING, ASKED = ServiceID("2000099000"), ServiceID("2000099003")
REQUEST_ID = "86e3371d-1c15-4862-9552-d9560f8292ba"
UK = "https://fhir.hl7.org.uk/StructureDefinition/UKCore-"
Json = dict[str, Any]

# Words as people write them; FHIR has no blank texts and no control characters.
words = st.text("abc é'\"<&\n", min_size=1, max_size=20).filter(str.strip)
moments = st.integers(0, 10_000_000).map(lambda seconds: NOW + timedelta(seconds=seconds))
places = st.one_of(
    st.builds(
        CurrentPlace, name=st.just("Lock"), address_lines=st.tuples(words), postcode=st.just("LS1 4AP")
    ),
    st.builds(CurrentPlace, uprn=st.from_regex(r"[0-9]{8,12}", fullmatch=True)),
    st.builds(CurrentPlace, what3words=st.just("filled.count.soap")),
    st.builds(CurrentPlace, latitude=st.just("53.7950"), longitude=st.just("-1.5491")),
    st.builds(CurrentPlace, eastings=st.just("430153"), northings=st.just("433870")),
)
flags = st.one_of(
    st.builds(RaisedFlag, st.just(FlagCategory.SAFEGUARDING), st.sampled_from(sorted(SAFEGUARDING))),
    st.builds(RaisedFlag, st.just(FlagCategory.SCENE_SAFETY), st.sampled_from(SceneSafety).map(str)),
    st.builds(RaisedFlag, st.sampled_from(FlagCategory), words=words),
)
codes = st.builds(TriageCode, st.just("https://fhir.nhs.uk/CodeSystem/pathways-dx-codes"), st.just("DX02"))
outcomes = st.builds(
    Outcome,
    disposition=st.sampled_from(Disposition),
    clock_start=moments,
    narrative=words,
    priority=st.sampled_from(ARPPriority),
    codes=st.lists(codes, max_size=2).map(tuple),
    place=st.none() | places,
    flags_raised=st.lists(flags, max_size=3).map(tuple),
    flags_ended=st.sampled_from([(), ("urn:uuid:00000000-0000-4000-8000-000000000009",)]),
)
urgent = st.builds(
    replace,
    outcomes,
    priority=st.sampled_from([ARPPriority.C1, ARPPriority.C2]),
    cad_id=st.from_regex(r"CAD-[0-9]{1,6}", fullmatch=True),
)
rejections = st.builds(Rejection, st.sampled_from(RejectedReason), words)
missed = st.builds(
    lambda start, minutes, said, code: NonAttendance(
        start, start + timedelta(minutes=minutes), said, code, said
    ),
    moments,
    st.integers(1, 90),
    words | st.just(""),
    st.sampled_from(["", *sorted(set(SAFEGUARDING) - {"861931000000100"})]),
)
statuses = st.builds(
    CadStatus,
    st.sampled_from([EncounterStatus.PLANNED, EncounterStatus.IN_PROGRESS, EncounterStatus.FINISHED]),
    words | st.just(""),
)
said = st.one_of(
    st.tuples(st.just(ReplyKind.INTERIM), st.just(Started())),
    st.tuples(st.just(ReplyKind.REJECTED), rejections),
    st.tuples(st.just(ReplyKind.FULL), outcomes | urgent),
    st.tuples(st.just(ReplyKind.DID_NOT_ATTEND), missed),
    st.tuples(st.just(ReplyKind.CAD_STATUS), statuses),
    st.tuples(st.just(ReplyKind.CAD_REJECTION), rejections),
)
quick = settings(
    deadline=None, max_examples=examples(20, thorough=200), suppress_health_check=[HealthCheck.too_slow]
)


def url(number: int) -> str:
    return f"urn:uuid:00000000-0000-4000-8000-{number:012d}"


def entry(number: int, kind: str, **members: Any) -> tuple[str, Json]:
    meta = {"lastUpdated": "2026-11-21T08:00:00+00:00", "profile": [f"{UK}{kind}"]}
    return url(number), {"resourceType": kind, "meta": meta, **members}


def held(use_case: UseCase, status: str = "active") -> HeldRequest:
    """A request with something of everything, among it references that no response can carry."""
    category = "validation" if use_case is UseCase.A4T1 else "referral"
    system = "https://fhir.nhs.uk/CodeSystem/message-category-servicerequest"
    own = {"system": system, "code": category}
    _, asked = entry(
        2,
        "ServiceRequest",
        status=status,
        intent="plan",
        category=[{"coding": [own, use_case.coding]}],
        subject={"reference": url(4)},
        encounter={"reference": url(3)},
        basedOn=[{"reference": url(5)}],
        supportingInfo=[{"reference": url(10)}, {"reference": f"Appointment/{CASE}"}],
        requester={"reference": url(6)},
        authoredOn="2026-11-21T08:00:00+00:00",
        occurrencePeriod={"start": "2026-11-21T08:00:00+00:00", "end": "2026-11-21T10:00:00+00:00"},
        locationReference=[{"reference": url(8)}],
    )
    journey = [{"reference": "EpisodeOfCare/d877b820-e72b-44d1-a627-195f54bfc606"}]
    emergency = {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "EMER"}
    shared = {"class": emergency, "subject": {"reference": url(4)}, "episodeOfCare": journey}
    where = [{"location": {"reference": url(8)}, "status": "active"}]
    scene = {"coding": [FlagCategory.SCENE_SAFETY.coding]}
    consent = {
        "coding": [{"system": "https://fhir.nhs.uk/CodeSystem/consent-categories-bars", "code": "DRC"}]
    }
    rule = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "IMPLIED"}]}
    scope = {"coding": [{"code": "patient-privacy"}]}
    entries = (
        entry(3, "Encounter", status="triaged", location=where, identifier=[{"value": "theirs-1"}], **shared),
        (url(4), patient_to_fhir(DETAILS, now=NOW)),
        entry(5, "CarePlan", status="active", intent="plan", subject={"reference": url(4)}, id=str(CASE)),
        entry(6, "Practitioner", name=[{"text": "Sam Sender"}]),
        entry(7, "PractitionerRole", practitioner={"reference": url(6)}),
        entry(8, "Location", name="Old place", address={"postalCode": "LS1 6PT"}),
        entry(9, "Flag", status="active", category=[scene], code=scene, subject={"reference": url(8)}),
        entry(10, "QuestionnaireResponse", status="completed"),
        entry(11, "HealthcareService", identifier=[{"value": ASKED.value}]),
        entry(12, "Consent", status="active", scope=scope, category=[consent], policyRule=rule),
        entry(13, "Organization", name="Somebody's practice"),
    )
    return HeldRequest(CASE, url(2), asked, entries, "RIV-AAAA-AA")


VALIDATION_REASON = {
    "coding": [
        {
            "system": "https://fhir.nhs.uk/CodeSystem/message-reason-encounter",
            "code": "validation-triage-outcome",
            "display": "Validation of triage outcome",
        }
    ]
}
USE_CASES = {
    ReplyKind.DID_NOT_ATTEND: UseCase.A1T1,
    ReplyKind.CAD_STATUS: UseCase.A6T1,
    ReplyKind.CAD_REJECTION: UseCase.A6T3,
}


def built(
    kind: ReplyKind,
    content: ResponseContent,
    *,
    is_update: bool = False,
    status: str = "active",
    request: HeldRequest | None = None,
) -> Json:
    use_case = USE_CASES.get(kind, UseCase.A4T1)
    envelope = Envelope(
        bundle_id=CASE,
        now=NOW,
        header=HeaderFacts(ASKING, ASKED, "Riverside", "BaRS portal", "1"),
        answers=REQUEST_ID,
        is_update=is_update,
        organisations=Organisations(
            sender=organisation_to_fhir(name="Riverside", ods_code="RIV01", now=NOW),
            receiver=organisation_to_fhir(name="Northern", ods_code="Y00111", now=NOW),
        ),
        responder=Responder("Asha Sesay", "PT2489", "224608005"),
    )
    return build_response(
        kind=kind,
        held=request or held(use_case, status),
        envelope=envelope,
        content=content,
        use_case=use_case,
    )


def judged(message: Json, kind: ReplyKind) -> ReceivedResponse:
    """What our own receiver makes of it: sound, of the right row, without a warning that we could avoid."""
    assert check_structure(message) == ()
    bundle = MessageBundle(message)
    replies = HostedService(
        service_id=ASKING, provider_ods="Y00111", accepted_use_cases=frozenset(), allowed_callers=frozenset()
    )
    verdict = judge(bundle, find_service=lambda _: replies, workflows=table.ROWS)
    # The guide's own reason, which the national list of reasons has not.
    known = [each for each in bundle.of_type("Encounter") if each.get("reasonCode") == [VALIDATION_REASON]]
    assert bool(known) is (kind in (ReplyKind.INTERIM, ReplyKind.FULL))
    reason = [f"{bundle.path_of(each)}.reasonCode[0].coding[0].code" for each in known]
    assert (verdict.issues, [path for each in verdict.warnings for path in each.expression]) == ((), reason)
    assert verdict.row is not None
    assert verdict.row.message_key == MESSAGE_KEYS[kind]
    return parse_response(bundle, kind, Category(sorted(verdict.row.categories)[0]), now=NOW)


@quick
@given(said)
def test_what_is_kept_is_read_back(spoken: tuple[ReplyKind, ResponseContent]) -> None:
    kind, content = spoken
    assert read_content(kind, store_content(kind, content)) == content


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        (ReplyKind.CAD_STATUS, CadStatus(EncounterStatus.PLANNED)),
        (ReplyKind.CAD_REJECTION, Rejection(RejectedReason.NOT_AVAILABLE)),
    ],
    ids=str,
)
def test_the_responders_encounter_may_be_the_focus_too(kind: ReplyKind, content: ResponseContent) -> None:
    """The guide has it both ways."""
    message = built(kind, content)
    ours = next(
        each["fullUrl"]
        for each in message["entry"]
        if each["resource"].get("status") in ("planned", "cancelled")
    )
    message["entry"][0]["resource"]["focus"] = [{"reference": ours}]
    assert judged(message, kind).focus[0] == ours


# Random ones need not meet the only disposition that leaves something to do.
DISPATCHED = Outcome(Disposition.DISPATCH, NOW, "Send one", ARPPriority.C3)


@quick
@given(said, st.booleans())
@example((ReplyKind.FULL, DISPATCHED), False)
def test_what_is_said_is_what_the_requester_reads(
    spoken: tuple[ReplyKind, ResponseContent], is_update: bool
) -> None:
    kind, content = spoken
    reply = judged(built(kind, content, is_update=is_update), kind)
    assert (reply.answers, reply.journey_id) == (REQUEST_ID, UUID("d877b820-e72b-44d1-a627-195f54bfc606"))
    assert reply.patient.family_name == DETAILS.family_name
    facts = reply.columns
    if isinstance(content, Outcome | Started):
        assert (facts["reason_code"], facts["reason_text"]) == ("", "")
    if isinstance(content, Outcome):
        tells_outcome(content, facts)
    elif isinstance(content, Rejection):
        assert (facts["reason_code"], facts["reason_text"]) == (content.reason.value, content.words)
        assert (facts["responder_status"], reply.event) == ("cancelled", CaseEvent.HEAR_REJECTED)
    elif isinstance(content, CadStatus):
        assert (facts["responder_status"], facts["reason_text"]) == (
            content.status,
            content.words.strip() and content.words,
        )
    elif isinstance(content, NonAttendance):
        assert facts["safeguarding"] is bool(content.safeguarding_code)
    if kind is not ReplyKind.DID_NOT_ATTEND:
        assert facts["responder_reference"] == "RIV-AAAA-AA"


def tells_outcome(content: Outcome, facts: Json) -> None:
    assert content.priority is not None
    assert (facts["priority"], facts["cad_id"]) == (content.priority.value, content.cad_id)
    assert (facts["action_needed"], facts["clock_start"]) == (content.action_needed, content.clock_start)
    texts = [each["text"] for each in facts["outcomes"] if each["text"]]
    kinds = [OutcomeKind.DISPOSITION.label for _ in content.codes]
    assert texts == [*kinds, content.disposition.label, content.narrative]
    concerns = {each.code for each in content.flags_raised if each.category is FlagCategory.SAFEGUARDING}
    assert facts["safeguarding"] is bool(concerns - {"861931000000100"})


@quick
@given(said)
def test_what_is_carried_back_is_what_was_sent(spoken: tuple[ReplyKind, ResponseContent]) -> None:
    """Request, patient and requester's Encounter: as they came, but for references that lead nowhere now."""
    kind, content = spoken
    message, asked = built(kind, content), held(USE_CASES.get(kind, UseCase.A4T1))
    sent = {each["fullUrl"]: each["resource"] for each in message["entry"]}
    assert sent[url(4)] == dict(asked.entries)[url(4)]
    request = {name: each for name, each in asked.request.items() if name not in LEFT_OUT}
    assert {name: each for name, each in sent[url(2)].items() if name not in LEFT_OUT} == request
    theirs = {name: each for name, each in dict(asked.entries)[url(3)].items() if name != "location"}
    added = ("location", "reasonReference")
    assert {name: each for name, each in sent[url(3)].items() if name not in added} == theirs


LEFT_OUT = {"status", "basedOn", "supportingInfo", "locationReference"}


def test_the_same_answer_is_built_the_same() -> None:
    assert built(ReplyKind.INTERIM, Started()) == built(ReplyKind.INTERIM, Started())


@pytest.mark.parametrize(
    ("raised", "code"),
    [
        ((), SceneSafety.UNKNOWN),
        ((RaisedFlag(FlagCategory.INFECTION_RISK, words="Cough"),), SceneSafety.UNKNOWN),
        ((RaisedFlag(FlagCategory.SCENE_SAFETY, "U", "The Scene is unsafe", "A dog"),), SceneSafety.UNSAFE),
    ],
)
def test_an_outcome_says_whether_the_scene_is_safe_although_nobody_was_asked(
    raised: tuple[RaisedFlag, ...], code: SceneSafety
) -> None:
    asked = held(UseCase.A4T1)
    silent = replace(asked, entries=tuple(each for each in asked.entries if each[0] != url(9)))
    said = Outcome(Disposition.HEAR_AND_TREAT, NOW, "Advice", flags_raised=raised)
    bundle = MessageBundle(built(ReplyKind.FULL, said, request=silent))
    scene = [
        flag
        for flag in bundle.of_type("Flag")
        if flag["category"][0]["coding"] == [FlagCategory.SCENE_SAFETY.coding]
    ]
    assert [flag["code"]["coding"] for flag in scene] == [[code.coding]]
    assert bundle.resolve(scene[0]["subject"]) is bundle.of_type("Location")[0]


def test_a_request_on_hold_is_answered_as_an_active_one() -> None:
    """The workflow table has no response to any other."""
    judged(built(ReplyKind.INTERIM, Started(), status="on-hold"), ReplyKind.INTERIM)


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: Rejection(RejectedReason.OTHER, " "), "why the case is rejected"),
        (lambda: Outcome(Disposition.DISPATCH, NOW, "words"), "needs a category"),
        (lambda: Outcome(Disposition.ONWARD, NOW, ""), "found and advised"),
        (lambda: Outcome(Disposition.ONWARD, NOW.replace(tzinfo=None), "words"), "time zone"),
        (lambda: Outcome(Disposition.DISPATCH, NOW, "w", ARPPriority.C3, cad_id="1"), "category 1 and 2"),
        (lambda: CurrentPlace(name="Somewhere"), "where the patient is"),
        (lambda: CurrentPlace(latitude="53.1"), "both parts"),
        (lambda: RaisedFlag(FlagCategory.SAFEGUARDING), "what the warning is"),
        (lambda: NonAttendance(NOW, NOW), "ends before"),
        (lambda: CadStatus(EncounterStatus.TRIAGED), "accepted, in progress or finished"),
    ],
    ids=lambda each: each if isinstance(each, str) else "",
)
def test_what_is_incomplete_says_so(make: Any, sentence: str) -> None:
    with pytest.raises(Incomplete, match=sentence):
        make()


def test_a_content_of_another_kind_is_not_kept() -> None:
    with pytest.raises(TypeError):
        store_content(ReplyKind.FULL, Started())
