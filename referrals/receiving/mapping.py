"""Requests and responses that reach us, read once into types of our own; an update laid over what we hold."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from bars_portal.exchange.fhir import profiles
from bars_portal.exchange.fhir.bundle import MessageBundle, Resource, key_of, reply
from bars_portal.exchange.fhir.codes import CarePlanStatus, EncounterStatus
from bars_portal.exchange.fhir.json import as_dict, as_text, codings, dicts, version_in
from bars_portal.exchange.fhir.outcomes import OutcomeCode, fault
from bars_portal.exchange.fhir.rules.case import (
    journey_id,
    request_of,
    requester_encounter,
    responder_encounter,
    use_case_of,
)
from bars_portal.exchange.fhir.timestamps import borne_out, format_instant
from bars_portal.patients.details import PatientDetails
from bars_portal.patients.reading import patient_in
from referrals.cases import wire
from referrals.cases.states import CaseEvent, CaseStatus, Category, ReplyKind
from referrals.cases.wire import (
    REFERENCE_SYSTEM,
    accepted_request,
    has_usable_id,
    of_the_requester,
    own_encounter_id,
    own_encounter_url,
)
from referrals.parts import assessment, flags
from referrals.parts.base import texts_of, words_of
from referrals.parts.request import Facts, facts_of, requester_encounter_of


@dataclass(frozen=True)
class ReceivedCase:
    """The ServiceRequest of a message with what it says about the case.

    `journey_id` is None when the message names none (a cancel).
    """

    bundle: MessageBundle = field(repr=False)
    request: Resource = field(repr=False)
    category: Category
    patient: PatientDetails = field(repr=False)
    facts: Facts = field(repr=False)
    journey_id: UUID | None = None

    @property
    def url(self) -> str:
        return self.bundle.full_url_of(self.request)

    @property
    def ids(self) -> list[UUID]:
        """By which of our ids it may be known: ServiceRequest.id, then the uuid of its fullUrl."""
        named = (wire.uuid_or_none(as_text(self.request.get("id"))), wire.url_uuid(self.url))
        return [each for each in named if each is not None]

    @property
    def encounter(self) -> Resource | None:
        """The requester's own Encounter; the first when the ServiceRequest names none."""
        return requester_encounter_of(self.bundle)

    @property
    def other_encounter(self) -> Resource | None:
        """In an update, the receiver's Encounter as the sender tells it back."""
        own = self.encounter
        return next((each for each in self.bundle.of_type("Encounter") if each is not own), None)


def parse_case(bundle: MessageBundle, category: Category, *, now: datetime) -> ReceivedCase:
    """Raises OutcomeError for what the rules before it cannot have let through by accident."""
    request = bundle.focus
    if request is None:
        raise fault(OutcomeCode.INVARIANT, "MessageHeader.focus points at nothing in the Bundle")
    return ReceivedCase(
        bundle=bundle,
        request=request,
        category=category,
        patient=patient_in(bundle, wire.patient_of(bundle, request), now=now),
        facts=facts_of(
            bundle,
            request,
            use_case=use_case_of(bundle) or "",
            sender=bundle.resolve(bundle.header.get("sender")) or {},
        ),
        journey_id=journey_id(bundle),
    )


_ENCOUNTER_STATUS = {
    CaseStatus.IN_PROGRESS: EncounterStatus.IN_PROGRESS,
    CaseStatus.COMPLETED: EncounterStatus.FINISHED,
    CaseStatus.REJECTED: EncounterStatus.CANCELLED,
}


def ended_request(held: Resource, sent: Resource, *, version: int, now: datetime) -> Resource:
    """What we hold, taken back as the message says."""
    ended = {**held, "status": as_text(sent.get("status"))}
    for name in ("statusReason", "reasonCode", "note"):
        if sent.get(name):
            ended[name] = sent[name]
    return accepted_request(ended, case_id=UUID(as_text(held.get("id"))), version=version, now=now)


def why_ended(sent: Resource) -> str:
    """In the sender's words, or those of a code; "" where nothing is said."""
    told = (words_of(each) for each in dicts(sent.get("reasonCode")))
    return next(filter(None, told), "") or texts_of(sent.get("note"), "text")


def whole_reply(
    received: ReceivedCase, *, focus: Resource, others: Sequence[tuple[str, Resource]], now: datetime
) -> dict[str, Any]:
    """The reply Bundle to the message."""
    return reply(received.bundle, now=now, focus=focus, included=others)


def own_encounter(
    received: ReceivedCase, *, case_id: UUID, reference: str, status: CaseStatus, now: datetime
) -> tuple[str, Resource]:
    """The second Encounter of the answer: ours, planned, with the reference that a person can read out.

    When the message tells our Encounter back, that one is kept as it was sent, with our id and reference.
    """
    sent = received.other_encounter
    names = [{"system": REFERENCE_SYSTEM, "value": reference}]
    if sent is not None:
        theirs = [each for each in dicts(sent.get("identifier")) if each.get("system") != REFERENCE_SYSTEM]
        url = received.bundle.full_url_of(sent)
        return url, {**sent, "id": own_encounter_id(case_id), "identifier": [*names, *theirs]}
    return own_encounter_url(case_id), {
        "resourceType": "Encounter",
        "id": own_encounter_id(case_id),
        "meta": {"lastUpdated": format_instant(now), "profile": [profiles.uk_core("Encounter")]},
        "identifier": names,
        "status": _ENCOUNTER_STATUS.get(status, EncounterStatus.PLANNED).value,
        **of_the_requester(
            received.encounter or {},
            as_dict((received.encounter or {}).get("subject")) or as_dict(received.request.get("subject")),
        ),
        "period": {"start": format_instant(now)},
    }


Stamps = Mapping[str, str]


# Standard section 6, "Stale update": equal is unchanged, newer replaces, older is a conflict. Only stamps of
# one sender are compared: two clocks say nothing about each other.
def stamps_of(received: ReceivedCase) -> dict[str, str]:
    """meta.lastUpdated by fullUrl, of everything that is the sender's own."""
    stamps = {url: _stamp(resource) for url, resource in _own_entries(received)}
    return {url: stamp for url, stamp in stamps.items() if stamp}


def version_told(received: ReceivedCase, case_id: UUID) -> int | None:
    """The version of ours that the message is about: only who repeats our id repeats our number."""
    is_ours = wire.uuid_or_none(as_text(received.request.get("id"))) == case_id
    return version_in(received.request) if is_ours else None


def stale_entries(
    received: ReceivedCase,
    held: Stamps,
    *,
    heard_at: datetime | None = None,
    is_current: bool = False,
) -> list[str]:
    """FHIRPaths of entries that are older than what we hold.

    `heard_at`: when what we hold came, if stamps ahead of that moment are to count as such; `is_current`: the
    request is known to be our newest version, whatever its stamp.
    """
    return [
        f"{received.bundle.path_of(resource)}.meta.lastUpdated"
        for url, resource in _own_entries(received)
        if _age(resource, held.get(url, ""), heard_at) < 0
        and not (is_current and resource is received.request)
    ]


def merged_request(received: ReceivedCase, held: Resource, stamps: Stamps) -> Resource:
    """Unchanged by an equal stamp, but for the status that makes the message what it is."""
    if _age(received.request, stamps.get(received.url, "")) == 0:
        return {**held, "status": as_text(received.request.get("status"))}
    return received.request


def merged_entries(
    received: ReceivedCase, held: Sequence[Sequence[Any]], stamps: Stamps
) -> list[tuple[str, Resource]]:
    """Every other entry: as we hold it when its stamp is equal, else as it was sent, its id kept."""
    known = {str(url): resource for url, resource in held}
    return [
        (url, _merged(url, resource, known.get(url), stamps.get(url, "")))
        for url, resource in _own_entries(received)
        if resource is not received.request
    ]


def merged_case(
    received: ReceivedCase, request: Resource, others: Sequence[tuple[str, Resource]], *, now: datetime
) -> ReceivedCase:
    """The case as it now stands, read anew: columns say what the resources say."""
    entries = [(received.bundle.full_url_of(received.bundle.header), received.bundle.header)]
    entries += [(received.url, request), *others]
    listed = [{"fullUrl": url, "resource": resource} for url, resource in entries]
    raw = {**received.bundle.raw, "entry": listed}
    return parse_case(MessageBundle(raw), received.category, now=now)


def _merged(url: str, sent: Resource, held: Resource | None, stamp: str) -> Resource:
    if held is None:
        return sent
    if _age(sent, stamp) == 0:
        return held
    return sent if has_usable_id(url, sent) else {**sent, "id": held["id"]}


def _own_entries(received: ReceivedCase) -> list[tuple[str, Resource]]:
    """Neither the header, which is the message's, nor our Encounter told back to us."""
    ours = received.other_encounter
    return [
        (url, resource)
        for url, resource in received.bundle.entries
        if resource.get("resourceType") != "MessageHeader" and resource is not ours
    ]


def _stamp(resource: Resource) -> str:
    return as_text(as_dict(resource.get("meta")).get("lastUpdated"))


def _age(sent: Resource, stamp: str, heard_at: datetime | None = None) -> int:
    """-1 older than the stamp, 0 equal, 1 newer or not to be compared."""
    theirs, ours = wire.stamp_of(sent), wire.instant(stamp)
    if theirs is None or ours is None:
        return 1
    if heard_at is not None:
        ours = borne_out(ours, heard_at)
    return (theirs > ours) - (theirs < ours)


_EVENTS = {
    ReplyKind.INTERIM: CaseEvent.HEAR_STARTED,
    ReplyKind.REJECTED: CaseEvent.HEAR_REJECTED,
    ReplyKind.FULL: CaseEvent.HEAR_COMPLETED,
    ReplyKind.DID_NOT_ATTEND: CaseEvent.HEAR_NON_ATTENDANCE,
    ReplyKind.CAD_REJECTION: CaseEvent.HEAR_REJECTED,
}
# Ambulance control says it by its own Encounter; any other status means that somebody is at it.
_CAD_EVENTS = {
    EncounterStatus.PLANNED.value: CaseEvent.HEAR_ACCEPTED,
    EncounterStatus.FINISHED.value: CaseEvent.HEAR_COMPLETED,
}


@dataclass(frozen=True)
class ReceivedResponse:
    """What a response says. `answers` is the Bundle.id that it names, as columns keep it.

    `stamp` is the responder's own.
    """

    bundle: MessageBundle = field(repr=False)
    kind: ReplyKind
    category: Category
    event: CaseEvent
    answers: str
    use_case: str
    patient: PatientDetails = field(repr=False)
    journey_id: UUID | None
    stamp: datetime | None
    scene_unsafe: bool
    columns: dict[str, object] = field(repr=False)

    @property
    def focus(self) -> tuple[str, Resource]:
        return self.bundle.focus_url, self.bundle.focus or {}


def parse_response(
    bundle: MessageBundle, kind: ReplyKind, category: Category, *, now: datetime
) -> ReceivedResponse:
    """Raises OutcomeError: 400 invariant without MessageHeader.response."""
    request = request_of(bundle) or {}
    if not bundle.response_identifier:
        words = "MessageHeader.response.identifier is missing: it says which request is answered"
        raise fault(OutcomeCode.INVARIANT, words, f"{bundle.path_of(bundle.header)}.response")
    responder = _responder(bundle, kind)
    return ReceivedResponse(
        bundle=bundle,
        kind=kind,
        category=category,
        event=_event(kind, responder),
        answers=key_of(bundle.response_identifier),
        use_case=use_case_of(bundle) or "",
        patient=patient_in(bundle, wire.patient_of(bundle, request), now=now),
        journey_id=journey_id(bundle),
        stamp=wire.stamp_of(responder) if responder is not None else None,
        scene_unsafe=flags.scene_found_unsafe(bundle),
        columns=_columns(bundle, request, responder),
    )


def _responder(bundle: MessageBundle, kind: ReplyKind) -> Resource | None:
    """The responder's Encounter; who tells that a patient did not attend need not have one."""
    found = responder_encounter(bundle)
    alone = kind is ReplyKind.DID_NOT_ATTEND and found is requester_encounter(bundle)
    return None if alone else found


def _event(kind: ReplyKind, responder: Resource | None) -> CaseEvent:
    if kind is not ReplyKind.CAD_STATUS:
        return _EVENTS[kind]
    return _CAD_EVENTS.get(as_text((responder or {}).get("status")), CaseEvent.HEAR_STARTED)


def _says_why(reason: Resource) -> bool:
    """What only names the kind of response is no reason that people read."""
    said = wire.VALIDATION_OUTCOME["code"]
    return all(as_text(each.get("code")) != said for each in codings(reason)) or bool(reason.get("text"))


def _columns(bundle: MessageBundle, request: Resource, responder: Resource | None) -> dict[str, object]:
    """The columns of models.ReplyFacts that the message alone decides."""
    encounter = responder or {}
    reason = next(filter(_says_why, dicts(encounter.get("reasonCode"))), {})
    coding = next(codings(reason), {})
    plan = assessment.plan_of(bundle)
    return {
        "responder_status": as_text(encounter.get("status"))[: wire.CODE],
        "reason_code": as_text(coding.get("code"))[: wire.CODE],
        "reason_text": (as_text(reason.get("text")) or as_text(coding.get("display")))[: wire.TEXT],
        "responder_reference": wire.identifier_of(responder),
        "responder_stamp": wire.stamp_of(encounter),
        "cad_id": wire.identifier_of(_third(bundle, responder)),
        "request_status": as_text(request.get("status"))[: wire.CODE],
        "outcomes": assessment.outcomes_of(bundle),
        "priority": assessment.priority_of(bundle, {}),
        "clock_start": assessment.clock_start(bundle),
        "action_needed": plan.get("status") == CarePlanStatus.ACTIVE if plan is not None else None,
        "safeguarding": flags.has_safeguarding(bundle),
    }


def _third(bundle: MessageBundle, responder: Resource | None) -> Resource | None:
    """Neither the requester's nor the responder's: a new case at ambulance control (standard section 6)."""
    own = requester_encounter(bundle)
    encounters = bundle.of_type("Encounter")
    rest = [each for each in encounters if each is not own and each is not responder]
    return rest[0] if len(encounters) > 2 and rest else None
