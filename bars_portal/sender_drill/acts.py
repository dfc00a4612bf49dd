"""Every act that a row may name: booking, referring, validating, answering."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from bars_portal.accounts.permissions import PolicyRefused
from bars_portal.exchange.fhir.codes import ARPPriority, UseCase
from bars_portal.sender_drill.desk import (
    MODEL_SERVICE,
    Desk,
    Display,
    DrillError,
    Row,
    content,
    patient,
    service,
    settle,
    wait_until,
)
from bookings.latest import read_latest as read_latest_booking
from bookings.models import Booking
from bookings.services.cancelling import request_cancel
from bookings.services.requesting import open_draft, request_booking
from bookings.slots import SlotSearch, search_slots
from directory.services.entries import clear_capability, read_capability
from referrals.cases.models import Case
from referrals.cases.selectors import received_case
from referrals.cases.states import CaseStatus, Category
from referrals.responding import decisions
from referrals.responding.content import Disposition, NonAttendance, Outcome, TriageCode
from referrals.responding.decisions import Decided
from referrals.sending import requesting, taking_back, updating
from referrals.sending.latest import read_latest
from referrals.worklist.selectors import open_unmatched_replies

Act = Callable[[Desk, Row], Display]

_DAYS = timedelta(days=14)
_CALL_BACK = TriageCode("https://fhir.nhs.uk/CodeSystem/pathways-dx-codes", "Dx335")
_AMBULANCE_SERVICES = frozenset({"2000159909", "2000159910"})
_VALIDATES = "2000003366"


def find_slots(desk: Desk, row: Row) -> Display:
    found = _search(desk, row.service)
    if found.problem:
        return Display(str(found.problem), found.problem.sentence)
    return Display("offers")


def read_booking(desk: Desk, row: Row) -> Display:
    """Of a booking that the service knows by `resource`; "" makes us search by the patient."""
    booking = _booked(desk, row)
    booking.remote_id = row.resource
    latest = read_latest_booking(desk.client, booking=booking, sender=desk.sender, now=desk.clock())
    return Display(latest.state, latest.sentence)


def ask_what_it_takes(desk: Desk, row: Row) -> Display:
    place = service(desk, row.service)
    clear_capability(service=place)
    said = read_capability(desk.client, service=place, sender=desk.sender, now=desk.clock())
    return Display("not-said" if said.use_cases is None else f"{len(said.use_cases)} use cases")


def validate_and_hear_unmatched(desk: Desk, row: Row) -> Display:
    """The reply is of another kind than the request: it is kept apart and put before people."""
    case = _validated(desk, row)
    waiting = open_unmatched_replies(desk.sending).filter(journey__correlation_id=case.correlation_id)
    has_come = wait_until(waiting.exists)
    return Display("put before people" if has_come else "nothing heard", case.explanation)


# The receiver that remembers knows one patient, with one booking and one referral at a time: each act leaves
# the patient without either, so that the next begins where the published table does.
def book_once(desk: Desk, row: Row) -> Display:
    with _booking(desk, row) as booking:
        return _display(booking)


def book_twice(desk: Desk, row: Row) -> Display:
    with _booking(desk, row):
        return _display(_booked(desk, row))


def cancel_it(desk: Desk, row: Row) -> Display:
    with _booking(desk, row) as booking:
        return _cancelled(desk, booking)


def refer_linked(desk: Desk, row: Row) -> Display:
    with _booking(desk, row) as booking:
        return _display(_referred(desk, row, booking))


def refer_twice(desk: Desk, row: Row) -> Display:
    with _booking(desk, row) as booking:
        _referred(desk, row, booking)
        return _display(_referred(desk, row, booking))


def refer_mislinked(desk: Desk, row: Row) -> Display:
    """There is a booking, and the referral does not name it."""
    with _booking(desk, row):
        return _display(_referred(desk, row))


def take_referral_back(desk: Desk, row: Row) -> Display:
    with _booking(desk, row) as booking:
        return _taken_back(desk, _referred(desk, row, booking))


def book_after_referral(desk: Desk, row: Row) -> Display:
    with _booking(desk, row) as booking:
        _referred(desk, row, booking)
        return _display(_booked(desk, row))


def cancel_after_referral(desk: Desk, row: Row) -> Display:
    with _booking(desk, row) as booking:
        _referred(desk, row, booking)
        return _cancelled(desk, booking)


def answer_started(desk: Desk, row: Row) -> Display:
    case = _received(desk, row, Category.VALIDATION)
    return _answered(desk, decisions.start_case(case=case, acting=desk.answering, now=desk.clock()))


def answer_outcome(desk: Desk, row: Row) -> Display:
    now, case = desk.clock(), _received(desk, row, Category.VALIDATION)
    outcome = Outcome(Disposition.HEAR_AND_TREAT, now, "No red flags.", ARPPriority.C5, (_CALL_BACK,))
    decided = decisions.complete_validation(case=case, outcome=outcome, acting=desk.answering, now=now)
    return _answered(desk, decided)


def answer_did_not_attend(desk: Desk, row: Row) -> Display:
    now, case = desk.clock(), _received(desk, row, Category.REFERRAL)
    missed = NonAttendance(now - timedelta(hours=2), now - timedelta(hours=1), "Nobody came.")
    decided = decisions.record_non_attendance(case=case, missed=missed, acting=desk.answering, now=now)
    return _answered(desk, decided)


def _search(desk: Desk, service_id: str) -> SlotSearch:
    now, place = desk.clock(), service(desk, service_id)
    return search_slots(desk.client, service=place, start=now, end=now + _DAYS, sender=desk.sender, now=now)


def _booked(desk: Desk, row: Row) -> Booking:
    """The first time that the model of all test services offers, asked of the row's own service."""
    now, offers = desk.clock(), _search(desk, MODEL_SERVICE).offers
    if not offers:
        raise DrillError("The test service offers no times.")
    draft = open_draft(
        acting=desk.sending,
        service=service(desk, row.service or MODEL_SERVICE),
        use_case="a1t1",
        chosen=offers[0],
        now=now,
    )
    booking = request_booking(draft=draft, details=patient(row.nhs_number), acting=desk.sending, now=now)
    settle(booking, desk)
    return booking


def _cancelled(desk: Desk, booking: Booking) -> Display:
    """Read first, as a page does, then cancelled from that version."""

    def step() -> None:
        now = desk.clock()
        latest = read_latest_booking(desk.client, booking=booking, sender=desk.sender, now=now)
        request_cancel(booking=booking, latest=latest, reason="pat", acting=desk.sending, now=now)

    return _changed(desk, booking, step)


@contextmanager
def _booking(desk: Desk, row: Row) -> Iterator[Booking]:
    booking = _booked(desk, row)
    try:
        yield booking
    finally:
        booking.refresh_from_db()
        _cancelled(desk, booking)


def _referred(
    desk: Desk, row: Row, booking: Booking | None = None, *, use_case: UseCase | None = None
) -> Case:
    place = row.service or MODEL_SERVICE
    use_case = use_case or (UseCase.A6T1 if place in _AMBULANCE_SERVICES else UseCase.A1T1)
    now = desk.clock()
    case = requesting.request_referral(
        content=content(use_case, now=now),
        details=patient(row.nhs_number),
        service=service(desk, place),
        acting=desk.sending,
        now=now,
        booking=booking,
    )
    settle(case, desk)
    return case


def _validated(desk: Desk, row: Row) -> Case:
    now = desk.clock()
    case = requesting.request_validation(
        content=content(UseCase.A4T1, now=now),
        details=patient(row.nhs_number),
        service=service(desk, row.service or _VALIDATES),
        acting=desk.sending,
        now=now,
    )
    settle(case, desk)
    return case


def _updated(desk: Desk, case: Case) -> Display:
    def step() -> None:
        now = desk.clock()
        updating.update_request(
            case=case,
            content=content(UseCase(case.use_case), now=now),
            latest=read_latest(desk.client, case=case, sender=desk.sender, now=now),
            acting=desk.sending,
            now=now,
        )

    return _changed(desk, case, step)


def _taken_back(desk: Desk, case: Case) -> Display:
    def step() -> None:
        now = desk.clock()
        latest = read_latest(desk.client, case=case, sender=desk.sender, now=now)
        taking_back.revoke_request(
            case=case, latest=latest, reason="The patient is better", acting=desk.sending, now=now
        )

    return _changed(desk, case, step)


def _changed(desk: Desk, subject: Booking | Case, step: Callable[[], None]) -> Display:
    """Where our own rules refuse the step, their sentence, and the state stays."""
    try:
        step()
    except PolicyRefused as refusal:
        return Display(subject.status, refusal.sentence)
    settle(subject, desk)
    return _display(subject)


def _read(desk: Desk, case: Case, *, remote_id: str | None = None) -> Display:
    """By the id that the service gave, or as if it had given this one; "" makes us search by the patient."""
    if remote_id is not None:
        case.remote_id = remote_id
    latest = read_latest(desk.client, case=case, sender=desk.sender, now=desk.clock())
    return Display(latest.state, latest.sentence)


def _heard(case: Case) -> Display:
    """Once the service's own reply has come, by way of our receiver."""

    def has_come() -> bool:
        case.refresh_from_db()
        return case.status not in (CaseStatus.SENT, CaseStatus.REQUESTED)

    wait_until(has_come)
    return _display(case)


def _received(desk: Desk, row: Row, category: Category) -> Case:
    """A request to a service of ours, through the proxy, as if the test service had sent it."""
    ours = desk.receiving[category]
    to_us = replace(row, service=ours.service_id)
    if category is Category.REFERRAL:
        sent = _referred(desk, to_us, use_case=ours.use_case)
    else:
        sent = _validated(desk, to_us)
    # The id that our receiver gave is the received case's own.
    case = received_case(UUID(sent.remote_id))
    if case is None:
        raise DrillError("The request did not arrive.")
    case.source_service_id = row.service or MODEL_SERVICE
    case.save(update_fields=["source_service_id"])
    return case


def _answered(desk: Desk, decided: Decided) -> Display:
    answer = decided.answer
    if answer is None:
        raise DrillError("The decision had no answer to send.")
    settle(answer, desk)
    return Display(answer.state, answer.explanation)


def _display(subject: Booking | Case) -> Display:
    return Display(subject.status, subject.explanation)


ACTS: Mapping[str, Act] = {
    "find slots": find_slots,
    "book": lambda desk, row: _display(_booked(desk, row)),
    "cancel": lambda desk, row: _cancelled(desk, _booked(desk, row)),
    "read booking": read_booking,
    "ask what it takes": ask_what_it_takes,
    "refer": lambda desk, row: _display(_referred(desk, row)),
    "refer and hear": lambda desk, row: _heard(_referred(desk, row)),
    "refer and read": lambda desk, row: _read(desk, _referred(desk, row)),
    "update referral": lambda desk, row: _updated(desk, _referred(desk, row)),
    "take back referral": lambda desk, row: _taken_back(desk, _referred(desk, row)),
    "read referral": lambda desk, row: _read(desk, _referred(desk, row), remote_id=row.resource),
    "validate": lambda desk, row: _display(_validated(desk, row)),
    "validate and hear": lambda desk, row: _heard(_validated(desk, row)),
    "validate and hear what fits no request": validate_and_hear_unmatched,
    "validate and read": lambda desk, row: _read(desk, _validated(desk, row)),
    "update validation": lambda desk, row: _updated(desk, _validated(desk, row)),
    "take back validation": lambda desk, row: _taken_back(desk, _validated(desk, row)),
    "read validation": lambda desk, row: _read(desk, _validated(desk, row), remote_id=row.resource),
    "stateful: book": book_once,
    "stateful: book twice": book_twice,
    "stateful: cancel": cancel_it,
    "stateful: refer": refer_linked,
    "stateful: refer twice": refer_twice,
    "stateful: refer without naming the booking": refer_mislinked,
    "stateful: refer without a booking": lambda desk, row: _display(_referred(desk, row)),
    "stateful: take the referral back": take_referral_back,
    "stateful: book after the referral": book_after_referral,
    "stateful: cancel after the referral": cancel_after_referral,
    "answer: started": answer_started,
    "answer: outcome": answer_outcome,
    "answer: did not attend": answer_did_not_attend,
}
