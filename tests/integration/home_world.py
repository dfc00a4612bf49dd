"""Something of everything that home counts, and of what is beside it, for one organisation."""

from datetime import UTC, datetime, time, timedelta
from typing import Any
from uuid import uuid4

from bars_portal.accounts.acting import Acting
from bars_portal.accounts.models import BreakGlass, Organisation
from bars_portal.api.models import OffReason, Webhook
from bars_portal.correspondence.states import Direction
from bars_portal.exchange.models import DeliveryState, InboundMessage, OutboundMessage, SeenCertificate
from bars_portal.nhsuk.dates import LONDON, in_london
from bars_portal.status.models import Condition
from bookings.models import Booking, CapacityAlarm, Clinic, Rebooking, SenderCall, WaitingEntry
from bookings.states import BookingStatus
from directory.models import CapabilityChange, HealthcareService
from referrals.cases.duties import Duty, DutyKind
from referrals.cases.models import Case, CaseAnswer, UnmatchedReply, owned_by
from referrals.cases.states import CaseStatus, Category, ReplyKind, ResponseState
from referrals.sending.models import SENT, RequestDraft
from tests.factories.api import make_application, make_webhook
from tests.factories.bookings import make_booking, make_schedule, make_slot
from tests.factories.directory import make_service
from tests.factories.patients import make_patient
from tests.factories.referrals import make_case, make_hub, make_sent_case
from tests.integration.bookings.running import BASE

NOW = datetime.now(UTC)
PAST, SOON = NOW - timedelta(hours=2), NOW + timedelta(hours=2)
NOON = datetime.combine(in_london(NOW).date(), time(12), tzinfo=LONDON)
_S, _B, _R = CaseStatus, BookingStatus, ResponseState


def sent_bookings_of(organisation: Organisation) -> None:
    def booking(status: BookingStatus, told: bool = True) -> Booking:
        return make_booking(organisation=organisation, status=status, patient_told_at=PAST if told else None)

    for status in _B:
        for told in (True, False):
            booking(status, told)
    for start in (NOON, NOON, NOON + timedelta(days=1)):
        make_booking(organisation=organisation, start=start, patient_told_at=PAST)
    for new in (None, _B.REFUSED, _B.UNKNOWN, _B.REQUESTED, _B.BOOKED, _B.CANCELLED):
        made = booking(new, told=False) if new else None
        old = booking(_B.CANCELLED, told=False)
        Rebooking.objects.create(cancelled=old, booked=made, started_at=PAST)
    # No new one is wanted any more.
    Rebooking.objects.create(cancelled=booking(_B.CANCELLED), started_at=PAST, ended_at=NOW)
    # The cancellation was refused: nothing was rebooked.
    Rebooking.objects.create(cancelled=booking(_B.BOOKED), started_at=PAST)


def received_by(service: HealthcareService, acting: Acting) -> None:
    def case(category: Category, status: CaseStatus, **changes: Any) -> Case:
        fields: dict[str, Any] = {"reference": f"REF-{uuid4()}", "use_case": "a4t1", **changes}
        return make_case(category, service=service, status=status, **fields)

    for category in Category:
        for status in (_S.RECEIVED, _S.IN_PROGRESS, _S.COMPLETED, _S.REVOKED):
            case(category, status, breach_at=PAST, safeguarding=True, flags=["SG"])
            case(category, status, breach_at=SOON, assigned_to=acting.user)
        # Looked into, and nothing found.
        case(category, _S.RECEIVED, flags=["SG"])
        for states in ([_R.UNKNOWN, _R.REFUSED], [_R.REFUSED, _R.DELIVERED], [_R.NO_ADDRESS], [_R.SENDING]):
            answered = case(category, _S.COMPLETED)
            for minute, state in enumerate(states):
                CaseAnswer.objects.create(
                    **{category.value: answered},
                    kind="full",
                    state=state,
                    created_at=PAST + timedelta(minutes=minute),
                )


def sent_by(organisation: Organisation, acting: Acting) -> None:
    for category in Category:
        for status in (_S.SENT, _S.UNKNOWN, _S.REVOKE_UNKNOWN, _S.COMPLETED, _S.REFUSED):
            for breach_at in (PAST, SOON, None):
                case = make_sent_case(category, organisation=organisation)
                lost: dict[str, Any] = {"pending": {}} if status == _S.SENT and breach_at is None else {}
                type(case).objects.filter(pk=case.pk).update(status=status, breach_at=breach_at, **lost)
                if status == _S.COMPLETED:
                    closed = PAST if breach_at is None else None
                    Duty.objects.create(
                        kind=DutyKind.REJECTED,
                        organisation=organisation,
                        raised_at=PAST,
                        closed_at=closed,
                        **owned_by(case),
                    )
    for state in (DeliveryState.ABANDONED, DeliveryState.UNKNOWN, DeliveryState.ACCEPTED):
        for _ in range(3):
            OutboundMessage.objects.create(
                message_type="booking-new",
                subject_type=Booking._meta.label_lower,
                subject_id=str(uuid4()),
                organisation=organisation,
                actor_label="Somebody",
                correlation_id=uuid4(),
                bundle_id=uuid4(),
                service_id="2000099001",
                headers={},
                body=b"{}",
                state=state,
                reason="timeout",
                created_at=PAST,
                settled_at=PAST,
            )
    service = make_hub()
    drafts: tuple[dict[str, Any], ...] = ({}, {"patient": {}}, {"notes": {}}, {SENT: True})
    for typed in drafts:
        RequestDraft.objects.create(
            user=acting.user,
            organisation=organisation,
            service=service,
            use_case="a1t1",
            typed=typed,
            created_at=NOW,
            updated_at=NOW,
        )


def strays_of(service: HealthcareService) -> None:
    for handled in (None, None, None, PAST):
        patient = make_patient(organisation=service.provider)
        UnmatchedReply.objects.create(
            kind=ReplyKind.DID_NOT_ATTEND,
            bundle_id=str(uuid4()),
            answers_bundle_id=str(uuid4()),
            message=InboundMessage.objects.create(
                headers={}, body=b"nothing", received_at=NOW, state="accepted"
            ),
            received_at=NOW,
            handled_at=handled,
            organisation=service.provider,
            service=service,
            patient=patient,
            journey=patient.journey,
        )


def stopped(service: HealthcareService) -> None:
    for removed, noticed_at in (({"use_cases": ["a1t1"]}, NOW), ({"use_cases": ["a3t1"]}, PAST), ({}, NOW)):
        CapabilityChange.objects.create(service=service, noticed_at=noticed_at, removed=removed)
    long_ago = NOW - timedelta(days=9)
    CapabilityChange.objects.create(service=service, noticed_at=long_ago, removed={"use_cases": ["a4t1"]})


def waiting_for(service: HealthcareService, acting: Acting) -> None:
    """Eight searches and refused bookings, of which four still wait and three could be booked now."""
    make_slot(schedule=make_schedule(service=service), start=NOW + timedelta(hours=30))
    wide = {"wanted_from": NOW, "wanted_until": NOW + timedelta(hours=40), "refused_at": NOW}

    def entry(**changes: Any) -> None:
        who = {"organisation": acting.organisation, "user": acting.user, "label": "Somebody"}
        WaitingEntry.objects.create(service=service, **{**who, **wide, **changes})

    for status in (_B.REFUSED, _B.REFUSED, _B.BOOKED, _B.UNKNOWN):
        refused = make_booking(organisation=acting.organisation, status=_B.REFUSED, service=service)
        if status != _B.REFUSED:
            make_booking(status=status, patient=refused.patient, patient_told_at=PAST, created_at=NOW)
        entry(journey=refused.journey, booking=refused)
    entry()
    entry(journey=make_patient(organisation=acting.organisation).journey, wanted_until=NOW)
    entry(
        journey=make_patient(organisation=acting.organisation).journey, closed_at=NOW, closed_as="elsewhere"
    )
    yesterday = NOW - timedelta(days=1)
    entry(journey=make_patient(organisation=acting.organisation).journey, refused_at=yesterday)


def in_diaries_of(service: HealthcareService) -> None:
    """Today and yesterday, calls that were made and not, and clinics with their slots and without."""
    diary = make_schedule(service=service)
    for number, start in enumerate((NOON, NOON, NOON - timedelta(days=1), NOON + timedelta(days=1))):
        for status in (_B.BOOKED, _B.ATTENDED):
            reference = f"{service.pk}-{number}-{status}"
            received = make_booking(
                direction=Direction.RECEIVED, service=service, start=start, status=status, reference=reference
            )
        for closed_at in (None, PAST):
            SenderCall.objects.create(booking=received, message="Moved", made_at=PAST, closed_at=closed_at)
    for hours in (0, 1, 30):
        make_slot(schedule=diary, start=NOON + timedelta(hours=hours))
    filled = in_london(NOW).date() + timedelta(days=BASE.horizon_days)
    states = ((True, 0, 0), (True, 2, 0), (True, 0, 9), (False, 2, 9), (True, 3, 0))
    for number, (active, left_out, days) in enumerate(states):
        Clinic.objects.create(
            service=service,
            name=f"Clinic {number}",
            active=active,
            plan=BASE.as_json(),
            left_out=left_out,
            filled_until=filled - timedelta(days=days),
            created_at=PAST,
            updated_at=PAST,
        )


def messages_today(service: HealthcareService) -> None:
    for kind in Category:
        for minute in range(2):
            make_case(
                kind,
                service=service,
                reference=str(uuid4()),
                use_case="a4t1" if kind is Category.VALIDATION else "a1t1",
                created_at=NOON + timedelta(minutes=minute),
            )
    for received_at in (NOON, NOON, NOON - timedelta(days=1)):
        InboundMessage.objects.create(
            headers={},
            body=b"{}",
            service_id=service.service_id,
            received_at=received_at,
            completed_at=received_at,
            state="accepted",
            status_code=200,
        )


def kept_outside(acting: Acting) -> None:
    """Break-glass access, webhooks and certificates: what asks for somebody, and what does not."""
    for reviewed_at in (None, None, PAST):
        BreakGlass.objects.create(
            user=acting.user,
            organisation=acting.organisation,
            reason="Ward 3 asks",
            started_at=PAST,
            ends_at=PAST,
            reviewed_at=reviewed_at,
            reviewed_by=acting.user if reviewed_at else None,
        )
    application = make_application(organisation=acting.organisation, owner=acting.user)
    for number, reason in enumerate(("", OffReason.OWNER, OffReason.FAILING, OffReason.GONE)):
        made, _ = make_webhook(url=f"https://hook{number}.example/in", application=application)
        off_at = PAST if reason else None
        Webhook.objects.filter(pk=made.pk).update(off_reason=reason, off_at=off_at)
    for days in (3, 40, 400):
        seen = {"name": f"Caller {days}", "issuer": "Issuer", "expires_at": NOW + timedelta(days=days)}
        seen |= {"first_seen_at": PAST, "last_seen_at": NOW}
        SeenCertificate.objects.get_or_create(fingerprint=f"{days:064}", defaults=seen)


def world_of(acting: Acting) -> None:
    """Something of everything that home counts, and of what is beside it."""
    service = make_hub(provider=acting.organisation)
    sent_bookings_of(acting.organisation)
    received_by(service, acting)
    sent_by(acting.organisation, acting)
    strays_of(service)
    stopped(service)
    waiting_for(service, acting)
    in_diaries_of(service)
    messages_today(service)
    kept_outside(acting)
    for name, level in (("database", "well"), ("worker", "wrong"), ("disks", "warning")):
        Condition.objects.get_or_create(pk=name, defaults={"level": level, "since": PAST})
    for reason in ("", "Nobody is here"):
        until = datetime.now(UTC) + timedelta(hours=1) if reason else None
        own = make_service(
            provider=acting.organisation, takes_referrals=True, paused_until=until, pause_reason=reason
        )
        CapacityAlarm.objects.create(service=own, least=1, hours=1, set_at=PAST, raised_at=until and PAST)
