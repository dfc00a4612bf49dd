"""What becomes of a request that we sent, once HTTP has said something or nothing about its message."""

import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from bars_portal.accounts.acting import Acting
from bars_portal.audit.actor import Actor
from bars_portal.correspondence.entries import clean, derived_url, stored
from bars_portal.correspondence.history import send_again
from bars_portal.correspondence.states import Direction
from bars_portal.exchange import outbox
from bars_portal.exchange.fhir.bundle import MessageBundle, Resource
from bars_portal.exchange.fhir.codes import EncounterStatus, ServiceRequestStatus
from bars_portal.exchange.fhir.reading import as_text
from bars_portal.exchange.registry import Outcome
from bars_portal.exchange.transport.judgement import Delivery
from referrals.cases import wire
from referrals.cases.held import included_in
from referrals.cases.history import change_case, write_version
from referrals.cases.models import Case, Referral
from referrals.cases.selectors import changes_of
from referrals.cases.states import CURRENT, CaseEvent, CaseStatus, next_status
from referrals.sending import mapping, policies
from referrals.sending.explanations import DELIVERED_UNREAD, REQUEST, TAKING_BACK, UPDATE
from referrals.sending.message import lock_sent
from referrals.sending.taking_back import continue_rereferral
from referrals.sending.updating import PendingUpdate

_ID = re.compile(r"[A-Za-z0-9\-.]{1,64}")
_REFERENCE = 64
_TAKEN_BACK = (ServiceRequestStatus.REVOKED, ServiceRequestStatus.ENTERED_IN_ERROR)
_STANDS = (ServiceRequestStatus.ACTIVE, ServiceRequestStatus.ON_HOLD, ServiceRequestStatus.COMPLETED)


@dataclass(frozen=True)
class Acknowledgement:
    """The receiver's ServiceRequest ({} when there is none) and the Bundle that it came in."""

    request: Resource = field(repr=False)
    bundle: MessageBundle = field(repr=False)

    @property
    def remote_id(self) -> str:
        """ServiceRequest.id; "" for what is no id, for it becomes part of an address."""
        ident = as_text(self.request.get("id"))
        return ident if _ID.fullmatch(ident) else ""

    @property
    def is_taken_back(self) -> bool:
        return as_text(self.request.get("status")) in _TAKEN_BACK

    @property
    def is_unclear(self) -> bool:
        """There is a request, and neither does it stand nor is it taken back."""
        return bool(self.request) and as_text(self.request.get("status")) not in (*_STANDS, *_TAKEN_BACK)

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
        found: dict[str, Any] = outcome.found
        whole = found.get("resourceType") == "Bundle"
        return MessageBundle(found if whole else {"entry": [{"resource": found}]})
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
        words = REQUEST.explain(outcome) or REQUEST.unknown
        _move(case, event, "" if heard else words, actor, now)
        return
    changes = {**_learned(case, held), "explanation": "" if held.request else DELIVERED_UNREAD}
    change_case(case=case, event=CaseEvent.CONFIRM, actor=actor, now=now, changes=changes)
    _note_taken_back(case, held, actor, now)


def settle_update(*, case: Case, outcome: Outcome, actor: Actor, now: datetime) -> None:
    """The update counts once it is taken; until then the case is what it was."""
    held = acknowledgement_of(outcome)
    if outcome.delivery is Delivery.REFUSED:
        words = UPDATE.explain(outcome)
        _move(case, CaseEvent.REFUSE_UPDATE, words, actor, now, {"pending": None})
        return
    if outcome.delivery is Delivery.UNKNOWN or held.is_unclear:
        words = UPDATE.explain(outcome) or UPDATE.unknown
        _move(case, CaseEvent.LOSE_UPDATE, words, actor, now)
        return
    changes = _updated(case, held)
    change_case(case=case, event=CaseEvent.CONFIRM_UPDATE, actor=actor, now=now, changes=changes)
    _write_version(case, now)
    _note_taken_back(case, held, actor, now)


def settle_end(*, case: Case, outcome: Outcome, actor: Actor, now: datetime) -> None:
    """Taken back (then a planned referral goes out), still standing, or not known."""
    held = acknowledgement_of(outcome)
    if outcome.delivery is Delivery.REFUSED:
        words = TAKING_BACK.explain(outcome)
        event = _REFUSED_REVOKE.get(_reached(case), CaseEvent.REFUSE_REVOKE)
        _move(case, event, words, actor, now, {"ending": ""})
        return
    stands = bool(held.request) and not held.is_taken_back
    if outcome.delivery is Delivery.UNKNOWN or stands:
        words = TAKING_BACK.explain(outcome) or TAKING_BACK.unknown
        _move(case, CaseEvent.LOSE_REVOKE, words, actor, now)
        return
    in_error = case.ending == ServiceRequestStatus.ENTERED_IN_ERROR
    change_case(
        case=case,
        event=CaseEvent.CONFIRM_IN_ERROR if in_error else CaseEvent.CONFIRM_REVOKE,
        actor=actor,
        now=now,
        changes={
            "resource": held.request or {**case.resource, "status": case.ending},
            "version": case.version + 1,
            "explanation": "",
        },
    )
    _write_version(case, now)
    if isinstance(case, Referral) and case.status == CaseStatus.REVOKED:
        continue_rereferral(referral=case, actor=actor, now=now)


def _learned(case: Case, held: Acknowledgement) -> dict[str, Any]:
    """The receiver's ids and reference; what it leaves out stays as it is known."""
    return {
        "remote_id": held.remote_id or case.remote_id,
        "reference": held.reference(case.pk) or case.reference,
        "resource": held.request or case.resource,
        "included": stored(mapping.acknowledged_entries(included_in(case), held.bundle)),
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
        "explanation": "",
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
    words: str,
    actor: Actor,
    now: datetime,
    changes: dict[str, Any] | None = None,
) -> None:
    changes = {**(changes or {}), "explanation": words}
    change_case(case=case, event=event, actor=actor, now=now, note=words, changes=changes)


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
