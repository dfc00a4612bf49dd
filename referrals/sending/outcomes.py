"""What becomes of a request that we sent, once HTTP has said something or nothing about its message.

The clinician reads it in plain words, with the next step.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from bars_portal.accounts.acting import Acting
from bars_portal.audit.actor import Actor
from bars_portal.correspondence.differences import Difference, Told, differences, with_contradiction
from bars_portal.correspondence.entries import clean, derived_url, stored
from bars_portal.correspondence.explanations import LATE, Explanations, ReasonCode, note_of
from bars_portal.correspondence.history import send_again
from bars_portal.correspondence.states import Direction
from bars_portal.exchange import outbox
from bars_portal.exchange.fhir.bundle import MessageBundle, Resource
from bars_portal.exchange.fhir.codes import EncounterStatus, ServiceRequestStatus
from bars_portal.exchange.fhir.identifiers import is_fhir_id
from bars_portal.exchange.fhir.json import as_text
from bars_portal.exchange.registry import Outcome
from bars_portal.exchange.transport.judgement import Delivery
from referrals.cases import wire
from referrals.cases.history import change_case, write_version
from referrals.cases.models import Case, Referral
from referrals.cases.selectors import changes_of
from referrals.cases.states import CURRENT, CaseEvent, CaseStatus, next_status
from referrals.cases.wire import included_in
from referrals.sending import policies
from referrals.sending.latest import STANDS
from referrals.sending.message import acknowledged_entries, lock_sent
from referrals.sending.taking_back import book_after_referral, continue_rereferral
from referrals.sending.updating import PendingUpdate

REQUEST = Explanations(
    unknown=(
        "We do not know whether this request arrived: the service gave no clear answer. Check again; do "
        "not send another one until you know."
    ),
    still_trying=(
        "We do not know yet whether this request arrived: the service gave no clear answer. We are still "
        "trying by ourselves; do not send another one until you know."
    ),
    refusals={
        ("CONFLICT", ""): "The service could not take this request as it stands. Call the service.",
        ("NOT_FOUND", ""): "The service could not be found. Choose another service.",
        ("UNPROCESSABLE_ENTITY", ""): "The service could not use this request. Choose another service.",
        ("BAD_REQUEST", ""): (
            "The service could not read our request. Call the service, and tell your IT support."
        ),
        ("UNAUTHORIZED", ""): "The service does not take requests from us. Choose another service.",
        ("FORBIDDEN", ""): "The service does not take requests from us. Choose another service.",
        ("NOT_IMPLEMENTED", ""): "The service does not take requests like this. Choose another service.",
        ("METHOD_NOT_ALLOWED", ""): "The service does not take requests like this. Choose another service.",
        ("SERVER_ERROR", ""): (
            "The service had a technical fault and took nothing. Try again, or call the service."
        ),
    },
    otherwise="The service did not take this request. Choose another service, and tell your IT support.",
    nothing="Nothing was sent to the service.",
    instead="Call the service or choose another",
    network="referral network",
    never_sent=(
        "The service could not be reached in time, so this request never went out. Choose another service, "
        "or phone this one."
    ),
    not_on_network=(
        "This service is not on the referral network. Choose another service, and tell your IT support."
    ),
)
UPDATE = Explanations(
    unknown=(
        "We do not know whether this update arrived: the service gave no clear answer. Check again, or "
        "call the service if it cannot wait."
    ),
    still_trying=(
        "We do not know yet whether this update arrived: the service gave no clear answer. We are still "
        "trying by ourselves; call the service if it cannot wait."
    ),
    refusals={
        ("CONFLICT", ""): "The service has changed this case meanwhile. Look at it again, then update it.",
        ("NOT_FOUND", ""): "The service does not know this request. Call the service.",
        ("UNPROCESSABLE_ENTITY", ""): (
            "The service did not take the update: the case is over. Read its answer or call the service."
        ),
        ("BAD_REQUEST", ""): (
            "The service could not read our update. Call the service, and tell your IT support."
        ),
        ("SERVER_ERROR", ""): (
            "The service had a technical fault and took nothing. Try again, or call the service."
        ),
    },
    otherwise="The service did not take this update. Call the service, and tell your IT support.",
    nothing="The service does not have this update.",
    instead="Call the service",
    network="referral network",
    never_sent="The service could not be reached in time, so this update never went out. Phone the service.",
)
TAKING_BACK = Explanations(
    unknown=(
        "We do not know whether this request was taken back: the service gave no clear answer. Check again "
        "before you tell the patient."
    ),
    still_trying=(
        "We do not know yet whether this request was taken back: the service gave no clear answer. We are "
        "still trying by ourselves; wait before you tell the patient."
    ),
    refusals={
        ("CONFLICT", ""): "The service has changed this case meanwhile. Look at it again, then take it back.",
        ("NOT_FOUND", ""): "The service does not know this request. Call the service.",
        ("UNPROCESSABLE_ENTITY", ""): (
            "The service did not let go of this case: it is over there. Read its answer or call the service."
        ),
        ("BAD_REQUEST", ""): (
            "The service could not read our message. Call the service, and tell your IT support."
        ),
        ("UNAUTHORIZED", ""): "The service does not let us take this request back. Call the service.",
        ("FORBIDDEN", ""): "The service does not let us take this request back. Call the service.",
        ("SERVER_ERROR", ""): "The service had a technical fault. Try again, or call the service.",
    },
    otherwise="The service did not let go of this case. Call the service, and tell your IT support.",
    nothing="Nothing was taken back.",
    instead="Call the service",
    network="referral network",
    never_sent=(
        "Nothing was taken back: the service could not be reached in time, so our message never went out. "
        "Phone the service."
    ),
)


_REFERENCE = 64
_TAKEN_BACK = (ServiceRequestStatus.REVOKED, ServiceRequestStatus.ENTERED_IN_ERROR)


@dataclass(frozen=True)
class Acknowledgement:
    """The receiver's ServiceRequest ({} when there is none) and the Bundle that it came in."""

    request: Resource = field(repr=False)
    bundle: MessageBundle = field(repr=False)

    @property
    def remote_id(self) -> str:
        """ServiceRequest.id; "" for what is no id, for it becomes part of an address."""
        ident = as_text(self.request.get("id"))
        return ident if is_fhir_id(ident) else ""

    @property
    def is_taken_back(self) -> bool:
        return as_text(self.request.get("status")) in _TAKEN_BACK

    @property
    def is_unclear(self) -> bool:
        """There is a request, and neither does it stand nor is it taken back."""
        return bool(self.request) and as_text(self.request.get("status")) not in (*STANDS, *_TAKEN_BACK)

    def reference(self, case_id: UUID) -> str:
        """Identifier of the receiver's own Encounter, which is planned (standard section 5, "Ids")."""
        ours = derived_url(case_id, "encounter")
        theirs = [each for each in self.bundle.of_type("Encounter") if self.bundle.full_url_of(each) != ours]
        planned = [each for each in theirs if each.get("status") == EncounterStatus.PLANNED]
        found = next(iter([*planned, *theirs]), None)
        named: str = clean(wire.identifier_of(found))
        return named[:_REFERENCE]


def acknowledgement_of(outcome: Outcome) -> Acknowledgement:
    """From the answer itself, or from what was read after a lost one."""
    bundle = _bundle(outcome)
    focus = bundle.focus or {}
    listed = [focus] if focus.get("resourceType") == "ServiceRequest" else bundle.of_type("ServiceRequest")
    request: Resource = clean(listed[0]) if listed else {}
    return Acknowledgement(request, bundle)


def _bundle(outcome: Outcome) -> MessageBundle:
    if outcome.found is not None:
        return MessageBundle(outcome.found)
    return outcome.reply or MessageBundle({})


_REFUSED_REVOKE = {
    CaseStatus.ACCEPTED: CaseEvent.REFUSE_REVOKE_ACCEPTED,
    CaseStatus.IN_PROGRESS: CaseEvent.REFUSE_REVOKE_STARTED,
}


def settle_request(*, case: Case, outcome: Outcome, actor: Actor, now: datetime) -> None:
    """The receiver has it, has not, or nobody knows; a reply that was quicker has the last word."""
    heard = case.status not in (CaseStatus.REQUESTED, CaseStatus.UNKNOWN)
    held = acknowledgement_of(outcome)
    if outcome.delivery is Delivery.REFUSED or outcome.delivery is Delivery.UNKNOWN or held.is_unclear:
        event = CaseEvent.REFUSE if outcome.delivery is Delivery.REFUSED else CaseEvent.LOSE
        told = _NOTHING if heard else _told(REQUEST, outcome, _against(case, held, outcome, now))
        _move(case, event, told, actor, now)
        return
    changes = {**_learned(case, held), **_taken(outcome)}
    note = note_of(outcome)
    change_case(case=case, event=CaseEvent.CONFIRM, actor=actor, now=now, note=note, changes=changes)
    _note_taken_back(case, held, actor, now)
    if isinstance(case, Referral):
        book_after_referral(referral=case, actor=actor, now=now)


def settle_update(*, case: Case, outcome: Outcome, actor: Actor, now: datetime) -> None:
    """The update counts once it is taken; until then the case is what it was."""
    held = acknowledgement_of(outcome)
    if outcome.delivery is Delivery.REFUSED:
        _move(case, CaseEvent.REFUSE_UPDATE, _told(UPDATE, outcome), actor, now, {"pending": None})
        return
    if outcome.delivery is Delivery.UNKNOWN or held.is_unclear:
        told = _told(UPDATE, outcome, _against(case, held, outcome, now))
        _move(case, CaseEvent.LOSE_UPDATE, told, actor, now)
        return
    note = note_of(outcome)
    changes = {**_updated(case, held), **_taken(outcome)}
    change_case(case=case, event=CaseEvent.CONFIRM_UPDATE, actor=actor, now=now, note=note, changes=changes)
    _write_version(case, now)
    _note_taken_back(case, held, actor, now)


def settle_end(*, case: Case, outcome: Outcome, actor: Actor, now: datetime) -> None:
    """Taken back (then a planned referral goes out), still standing, or not known."""
    held = acknowledgement_of(outcome)
    if outcome.delivery is Delivery.REFUSED:
        event = _REFUSED_REVOKE.get(_reached(case), CaseEvent.REFUSE_REVOKE)
        _move(case, event, _told(TAKING_BACK, outcome), actor, now, {"ending": ""})
        return
    if outcome.delivery is Delivery.UNKNOWN or not held.is_taken_back:
        told = _told(TAKING_BACK, outcome, _against(case, held, outcome, now))
        _move(case, CaseEvent.LOSE_REVOKE, told, actor, now)
        return
    in_error = held.request["status"] == ServiceRequestStatus.ENTERED_IN_ERROR
    change_case(
        case=case,
        event=CaseEvent.CONFIRM_IN_ERROR if in_error else CaseEvent.CONFIRM_REVOKE,
        actor=actor,
        now=now,
        note=note_of(outcome),
        changes={
            "resource": held.request,
            "version": case.version + 1,
            **_taken(outcome),
        },
    )
    _write_version(case, now)
    if isinstance(case, Referral) and case.status == CaseStatus.REVOKED:
        continue_rereferral(referral=case, actor=actor, now=now)


def _told(words: Explanations, outcome: Outcome, against: Sequence[Difference] = ()) -> tuple[str, str]:
    """Why it was refused or is not known, for people and for programs."""
    code = words.code(outcome) or ReasonCode.NO_CLEAR_ANSWER
    return with_contradiction(words.explain(outcome) or words.unknown, list(against)), code


_NOTHING = ("", "")


def _explained(told: tuple[str, str]) -> dict[str, str]:
    return dict(zip(("explanation", "explanation_code"), told, strict=True))


def _taken(outcome: Outcome) -> dict[str, str]:
    return _explained((LATE, ReasonCode.LATE) if outcome.is_late else _NOTHING)


def _against(case: Case, held: Acknowledgement, outcome: Outcome, now: datetime) -> list[Difference]:
    """What an answer says otherwise than our request."""
    if outcome.reply is None or not held.request:
        return []
    # What we hold of the request may be the receiver's, with references of its own.
    asked = {"resourceType": "ServiceRequest", "subject": {"reference": derived_url(case.pk, "patient")}}
    sent = case.pending["included"] if case.pending else included_in(case)
    return differences(Told(wire.index_of(sent), asked), Told(held.bundle, held.request), now=now)


def _learned(case: Case, held: Acknowledgement) -> dict[str, Any]:
    """The receiver's ids and reference; what it leaves out stays as it is known."""
    return {
        "remote_id": held.remote_id or case.remote_id,
        "reference": held.reference(case.pk) or case.reference,
        "resource": held.request or case.resource,
        "included": stored(acknowledged_entries(included_in(case), held.bundle)),
    }


def _updated(case: Case, held: Acknowledgement) -> dict[str, Any]:
    """What was pending, with the receiver's ids."""
    if case.pending is None:
        return _learned(case, held)
    pending = PendingUpdate(**case.pending)
    case.resource, case.included = pending.resource, pending.included
    patient = {"patient_id": pending.patient_id} if pending.patient_id else {}
    return {
        **pending.columns,
        **patient,
        **_learned(case, held),
        "content": pending.content,
        "pending": None,
        "version": case.version + 1,
    }


def _note_taken_back(case: Case, held: Acknowledgement, actor: Actor, now: datetime) -> None:
    """Found by a read after a lost answer: it arrived, and has been taken back since."""
    if held.is_taken_back and case.status in CURRENT:
        note = "It had been taken back there already."
        change_case(case=case, event=CaseEvent.FIND_REVOKED, actor=actor, now=now, note=note)


def _reached(case: Case) -> CaseStatus:
    """How far the receiver is, by all that it has told us."""
    status = CaseStatus.SENT
    for change in changes_of(case):
        if change.event.startswith("hear-"):
            status = next_status(case.category, Direction.SENT, status, CaseEvent(change.event))
    return status


def _write_version(case: Case, now: datetime) -> None:
    """Named by the message that brought it about, so that replies to it find the case."""
    message = outbox.latest_for(case)
    write_version(case=case, bundle_id=str(message.bundle_id) if message else "", message_id=None, now=now)


def _move(
    case: Case,
    event: CaseEvent,
    told: tuple[str, str],
    actor: Actor,
    now: datetime,
    changes: dict[str, Any] | None = None,
) -> None:
    changes = {**(changes or {}), **_explained(told)}
    change_case(case=case, event=event, actor=actor, now=now, note=told[0], changes=changes)


_NEW = ("referral-new", "validation-new")
_UPDATES = ("referral-update", "validation-update")


@transaction.atomic
def check_again(*, case: Case, acting: Acting, now: datetime) -> Case:
    """Send the same bytes and ids again, so that nothing can arrive twice.

    Raises PolicyRefused, and TransitionRefused when somebody else pressed first.
    """
    held = lock_sent(case.category, str(case.pk))
    policies.check_can_check_again(acting, held)
    event = _event(send_again(held).message_type)
    change_case(case=held, event=event, actor=acting.actor, now=now, changes={"explanation": ""})
    return held


def _event(message_type: str) -> CaseEvent:
    if message_type in _NEW:
        return CaseEvent.CHECK_AGAIN
    return CaseEvent.CHECK_UPDATE_AGAIN if message_type in _UPDATES else CaseEvent.CHECK_REVOKE_AGAIN
