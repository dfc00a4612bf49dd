"""Acts of referring and validating: asking what a service takes, sending, updating, taking back, reading."""

from bars_portal.exchange.fhir.codes import UseCase
from bars_portal.sender_drill import stating
from bars_portal.sender_drill.desk import MODEL_SERVICE, Desk, service, settle, wait_until
from bars_portal.sender_drill.rows import Row
from bars_portal.sender_drill.told import Told
from directory.capabilities import read_capability
from directory.services import clear_capability
from referrals import services
from referrals.models import Case, UnmatchedReply
from referrals.policies import PolicyRefused
from referrals.remote import read_latest
from referrals.states import CaseStatus

_AMBULANCE_SERVICES = frozenset({"2000159909", "2000159910"})
_VALIDATES = "2000003366"


def ask_what_it_takes(desk: Desk, row: Row) -> Told:
    place = service(row.service)
    clear_capability(service=place)
    said = read_capability(desk.client, service=place, sender=desk.sender, now=desk.clock())
    return Told("not-said" if said.use_cases is None else f"{len(said.use_cases)} use cases")


def refer(desk: Desk, row: Row) -> Told:
    return _of(_referred(desk, row))


def refer_and_hear(desk: Desk, row: Row) -> Told:
    return _heard(_referred(desk, row))


def validate(desk: Desk, row: Row) -> Told:
    return _of(_validated(desk, row))


def validate_and_hear(desk: Desk, row: Row) -> Told:
    return _heard(_validated(desk, row))


def validate_and_hear_unmatched(desk: Desk, row: Row) -> Told:
    """The reply is of another kind than the request: it is kept apart and put before people."""
    case = _validated(desk, row)
    replies = UnmatchedReply.objects.filter(journey__correlation_id=case.correlation_id, handled_at=None)
    wait_until(replies.exists)
    return Told("put before people" if replies.exists() else "nothing heard", case.explanation)


def validate_and_read(desk: Desk, row: Row) -> Told:
    """By the id that the service gave."""
    return _read(desk, _validated(desk, row))


def read_referral(desk: Desk, row: Row) -> Told:
    """Of a referral that the service knows by `resource`; "" makes us search by the patient."""
    return _read(desk, _renamed(_referred(desk, row), row.resource))


def read_validation(desk: Desk, row: Row) -> Told:
    return _read(desk, _renamed(_validated(desk, row), row.resource))


def take_back_referral(desk: Desk, row: Row) -> Told:
    return taken_back(desk, _referred(desk, row))


def take_back_validation(desk: Desk, row: Row) -> Told:
    return taken_back(desk, _validated(desk, row))


def update_referral(desk: Desk, row: Row) -> Told:
    return _updated(desk, _referred(desk, row))


def update_validation(desk: Desk, row: Row) -> Told:
    return _updated(desk, _validated(desk, row))


def _referred(desk: Desk, row: Row) -> Case:
    place = row.service or MODEL_SERVICE
    use_case = UseCase.A6T1 if place in _AMBULANCE_SERVICES else UseCase.A1T1
    now = desk.clock()
    case = services.request_referral(
        content=stating.content(use_case, now=now),
        details=stating.patient(row.nhs_number),
        service=service(place),
        acting=desk.sending,
        now=now,
    )
    settle(case, desk)
    return case


def _validated(desk: Desk, row: Row) -> Case:
    now = desk.clock()
    case = services.request_validation(
        content=stating.content(UseCase.A4T1, now=now),
        details=stating.patient(row.nhs_number),
        service=service(row.service or _VALIDATES),
        acting=desk.sending,
        now=now,
    )
    settle(case, desk)
    return case


def _updated(desk: Desk, case: Case) -> Told:
    now = desk.clock()
    try:
        services.update_request(
            case=case,
            content=stating.content(UseCase(case.use_case), now=now),
            latest=read_latest(desk.client, case=case, sender=desk.sender, now=now),
            acting=desk.sending,
            now=now,
        )
    except PolicyRefused as refusal:
        return Told(case.status, refusal.sentence)
    settle(case, desk)
    return _of(case)


def taken_back(desk: Desk, case: Case) -> Told:
    now = desk.clock()
    try:
        latest = read_latest(desk.client, case=case, sender=desk.sender, now=now)
        services.revoke_request(
            case=case, latest=latest, reason="The patient is better", acting=desk.sending, now=now
        )
    except PolicyRefused as refusal:
        return Told(case.status, refusal.sentence)
    settle(case, desk)
    return _of(case)


def _renamed(case: Case, remote_id: str) -> Case:
    case.remote_id = remote_id
    type(case).objects.filter(pk=case.pk).update(remote_id=remote_id)
    return case


def _read(desk: Desk, case: Case) -> Told:
    latest = read_latest(desk.client, case=case, sender=desk.sender, now=desk.clock())
    return Told(latest.state, latest.sentence)


def _heard(case: Case) -> Told:
    """Once the service's own reply has come, by way of our receiver."""

    def has_come() -> bool:
        case.refresh_from_db()
        return case.status not in (CaseStatus.SENT, CaseStatus.REQUESTED)

    wait_until(has_come)
    return _of(case)


def _of(case: Case) -> Told:
    return Told(case.status, case.explanation)
