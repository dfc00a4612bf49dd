"""Telling the receiver more about a case: validations and ambulance controls (standard section 6)."""

from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from typing import Any

from django.db import transaction

from bars_portal.accounts.acting import Acting
from bars_portal.accounts.permissions import PolicyRefused
from bars_portal.correspondence.latest import Latest
from bars_portal.nhsuk.dates import in_london
from bars_portal.patients.details import PatientDetails
from bars_portal.patients.selectors import details_of
from bars_portal.patients.services import create_patient
from bars_portal.patients.typed import is_as_known
from directory.remote import sender_identity
from referrals.cases.history import change_case
from referrals.cases.models import Case
from referrals.cases.states import CaseEvent, Category
from referrals.cases.wire import included_in, index_of
from referrals.parts.assessment import CallTimes, clock_start
from referrals.parts.content import ContentInvalid, RequestContent, content_from_json
from referrals.sending import policies
from referrals.sending.latest import is_taken_back, version_of
from referrals.sending.message import lock_sent
from referrals.sending.requesting import check_stated, send_about, written
from referrals.sending.taking_back import find_revoked


@dataclass(frozen=True)
class PendingUpdate:
    """What the case becomes once the update is taken; `columns` by field, instants as text."""

    content: dict[str, Any] = field(repr=False)
    resource: dict[str, Any] = field(repr=False)
    included: list[list[Any]] = field(repr=False)
    columns: dict[str, Any] = field(repr=False)
    patient_id: str = ""
    # The receiver's version that was read just before: whether it moves tells whether this was taken.
    seen_version: str = ""


MESSAGES = {Category.REFERRAL: "referral-update", Category.VALIDATION: "validation-update"}


@transaction.atomic
def update_request(
    *,
    case: Case,
    content: RequestContent,
    latest: Latest,
    acting: Acting,
    now: datetime,
    details: PatientDetails | None = None,
) -> Case:
    """Send all that is now known; the case itself changes once the receiver has taken it.

    `latest` was read just before, outside this transaction; when it is taken back there, that is recorded
    and nothing is sent. Raises PolicyRefused (also when nothing could be read) and ContentInvalid.
    """
    held = lock_sent(case.category, str(case.pk))
    policies.check_can_update(acting, held)
    if is_taken_back(latest):
        return find_revoked(case=held, latest=latest, actor=acting.actor, now=now)
    if not latest.can_be_changed:
        raise PolicyRefused(latest.sentence)
    # What stays as it is goes back as the version that was read, so that nobody takes it for an older one.
    read = {name: latest.resource[name] for name in ("id", "meta") if latest.resource.get(name)}
    held.resource = {**held.resource, **read}
    known = details or details_of(held.patient)
    check_stated(held.category, content, known)
    if content.use_case != held.use_case:
        raise ContentInvalid(("use_case",))
    change_case(
        case=held,
        event=CaseEvent.REQUEST_UPDATE,
        actor=acting.actor,
        now=now,
        changes={"pending": asdict(_pending(held, content, known, latest, acting, now)), "explanation": ""},
    )
    send_about(held, MESSAGES[held.category], sender_identity(acting), now)
    return held


def _pending(
    case: Case,
    content: RequestContent,
    details: PatientDetails,
    latest: Latest,
    acting: Acting,
    now: datetime,
) -> PendingUpdate:
    columns = written(
        case, _going_on(case, content), details=details, sender=sender_identity(acting), now=now
    )
    index = {name: columns.pop(name) for name in ("content", "resource", "included")}
    patient = case.patient
    if not is_as_known(details_of(patient), details, today=in_london(now).date()):
        patient = create_patient(
            details=details,
            organisation=case.organisation,
            journey=case.journey,
            now=now,
            declared_by=acting.actor,
        )
    return PendingUpdate(
        **index,
        columns=_storable(columns),
        patient_id=str(patient.pk),
        seen_version=version_of(latest.resource),
    )


def _going_on(case: Case, content: RequestContent) -> RequestContent:
    """What names the case stays: its number, its times, and its bookings."""
    before = content_from_json(case.content)
    assessment = replace(
        content.assessment,
        started_at=content.assessment.started_at or before.assessment.started_at,
        disposition_at=content.assessment.disposition_at or clock_start(index_of(included_in(case))),
        case_number=content.assessment.case_number or before.assessment.case_number,
    )
    call = CallTimes(
        began_at=content.call.began_at or before.call.began_at,
        connected_at=content.call.connected_at or before.call.connected_at,
        answered_at=content.call.answered_at or before.call.answered_at,
    )
    bookings = dict.fromkeys((*before.booking_ids, *content.booking_ids))
    return replace(content, assessment=assessment, call=call, booking_ids=tuple(bookings))


def _storable(columns: dict[str, object]) -> dict[str, object]:
    """Instants and ids as JSON keeps them; the columns read them back."""
    return {
        name: value.isoformat() if isinstance(value, datetime) else _texts(value)
        for name, value in columns.items()
    }


def _texts(value: object) -> object:
    return [str(each) for each in value] if isinstance(value, list) else value
