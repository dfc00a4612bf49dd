"""Every count on the home page opens exactly what it counts, for everybody."""

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client

from bars_portal.accounts.acting import Acting
from bars_portal.accounts.home import AttentionItem, items_for
from bars_portal.accounts.models import Membership, Organisation, User
from bars_portal.accounts.permissions import Role
from bars_portal.exchange.models import DeliveryState, InboundMessage, OutboundMessage
from bars_portal.status.models import Condition
from bookings.models import Booking, CapacityAlarm, Rebooking, WaitingEntry
from bookings.states import BookingStatus
from directory.models import CapabilityChange, HealthcareService
from referrals.cases.duties import Duty, DutyKind
from referrals.cases.models import Case, CaseAnswer, UnmatchedReply, owned_by
from referrals.cases.states import CaseStatus, Category, ReplyKind, ResponseState
from referrals.sending.models import SENT, RequestDraft
from tests.factories.accounts import make_acting, make_organisation
from tests.factories.bookings import make_booking, make_schedule, make_slot
from tests.factories.directory import make_service
from tests.factories.patients import make_patient
from tests.factories.referrals import make_case, make_hub, make_sent_case
from tests.profiles import share
from tests.worlds import Kept, Worlds

pytestmark = pytest.mark.django_db
NOW = datetime.now(UTC)
PAST, SOON = NOW - timedelta(hours=2), NOW + timedelta(hours=2)
_S, _B, _R = CaseStatus, BookingStatus, ResponseState
EVERYTHING = {
    "rebookings without a new appointment",
    "bookings not as asked for",
    "bookings and cancellations not known",
    "patients to tell",
    "tasks from what was sent, that nobody has closed",
    "received validations past their time",
    "sent validations past their time",
    "cases with an answer that may not have arrived",
    "replies that fit no request of ours",
    "requests and updates not known to have arrived, or to be taken back",
    "messages that we stopped sending",
    "open cases with a safeguarding concern",
    "open cases that nobody has taken",
    "requests that you have not sent yet",
    "people you could not book, and a time is free now",
    "appointments today that you booked elsewhere",
    "bookings asked for today",
    "open cases at your services",
    "open cases that you have taken",
}
SMALL_PAGES = (
    "bookings.views.bookings._PAGE",
    "referrals.pages.duties._PAGE",
    "referrals.worklist.views._PAGE",
    "referrals.worklist.query.PAGE_SIZE",
    "referrals.worklist.selectors.PAGE_SIZE",
    "referrals.worklist.sent.PAGE_SIZE",
)


@pytest.fixture
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """A list of three has two pages."""
    for name in SMALL_PAGES:
        monkeypatch.setattr(name, 2)


def sent_bookings_of(organisation: Organisation) -> None:
    def booking(status: BookingStatus, told: bool = True) -> Booking:
        return make_booking(organisation=organisation, status=status, patient_told_at=PAST if told else None)

    for status in _B:
        for told in (True, False):
            booking(status, told)
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


def world_of(acting: Acting) -> None:
    """Something of everything that home counts, and of what is beside it."""
    service = make_hub(provider=acting.organisation)
    sent_bookings_of(acting.organisation)
    received_by(service, acting)
    sent_by(acting.organisation, acting)
    strays_of(service)
    stopped(service)
    waiting_for(service, acting)
    for name, level in (("database", "well"), ("worker", "wrong"), ("disks", "warning")):
        Condition.objects.get_or_create(pk=name, defaults={"level": level, "since": PAST})
    for reason in ("", "Nobody is here"):
        until = datetime.now(UTC) + timedelta(hours=1) if reason else None
        own = make_service(
            provider=acting.organisation, takes_referrals=True, paused_until=until, pause_reason=reason
        )
        CapacityAlarm.objects.create(service=own, least=1, hours=1, set_at=PAST, raised_at=until and PAST)


@pytest.fixture(scope="module")
def kept_clinician(worlds: Worlds) -> Kept[Acting]:
    """With all that home counts, and the same at another organisation."""

    def make() -> Acting:
        acting = make_acting(role=Role.CLINICIAN, organisation=make_organisation())
        world_of(acting)
        world_of(make_acting(role=Role.CLINICIAN))
        return acting

    return worlds.keep("kept_clinician", make)


@pytest.fixture
def clinician(kept_clinician: Kept[Acting], db: None) -> Acting:
    return kept_clinician.copy()


def count_rows(client: Client, start: str) -> int:
    """The lines of a list, on all its pages."""
    url, path, count = start, start.partition("?")[0], 0
    while url:
        response = client.get(url)
        assert response.status_code == 200, url
        page = response.content.decode()
        count += sum(body.count("<tr") for body in re.findall(r"<tbody.*?</tbody>", page, re.DOTALL))
        count += page.count('<section class="app-status"')
        following = re.search(r'<a [^>]*href="([^"]*)"[^>]*rel="next"', page)
        url = f"{path}{unescape(following[1]).removeprefix(path)}" if following else ""
    return count


def counted(acting: Acting) -> dict[str, AttentionItem]:
    return {item.label: item for item in items_for(acting, datetime.now(UTC))}


def check(acting: Acting, items: Iterable[AttentionItem]) -> None:
    client = Client()
    client.force_login(acting.user)
    for item in items:
        assert count_rows(client, item.url) == item.count, item


# The lists are the same for everybody: their pages are turned by the role that has most of them, and the
# others open every second of those in turns.
@pytest.mark.parametrize(
    ("number", "role"), list(enumerate(each for each in Role if each is not Role.CLINICIAN))
)
def test_a_count_opens_what_it_counts(clinician: Acting, number: int, role: Role) -> None:
    Membership.objects.filter(user=clinician.user).update(role=role.value)
    acting = make_acting(user=User.objects.get(pk=clinician.user.pk))
    found = counted(acting)
    known = [item for label, item in found.items() if label in EVERYTHING]
    check(acting, [*share(known, number, of=2), *(item for item in found.values() if item not in known)])
    check_counts(role, found)


@pytest.mark.usefixtures("small_pages")
def test_a_count_opens_what_it_counts_on_all_pages(clinician: Acting) -> None:
    found = counted(clinician)
    check(clinician, found.values())
    check_counts(Role.CLINICIAN, found)


def check_counts(role: Role, found: dict[str, AttentionItem]) -> None:
    if role is Role.CLINICIAN:
        assert set(found) == EVERYTHING
        assert max(item.count for item in found.values()) > 2, "more than a page"
    if role in (Role.ENGINEER, Role.AUDITOR, Role.MANAGER):
        assert found["times that a service stopped accepting something this week"].count == 4
    if role is Role.MANAGER:
        assert found["services not taking referrals for now"].count == 1
        assert found["services with few free slots"].count == 1
        assert found["people who could not be booked today"].count == 4
        assert found["people who could not be booked, and a time is free now"].count == 3
    if role is Role.CLINICIAN:
        assert found["people you could not book, and a time is free now"].count == 3
    if role in (Role.ENGINEER, Role.MANAGER, Role.INSTALLER):
        assert found["parts of the portal that do not work as they should"].count == 2


def test_it_still_does_once_things_have_changed(clinician: Acting) -> None:
    before = counted(clinician)
    Booking.objects.filter(status=_B.UNKNOWN).update(status=_B.BOOKED)
    Booking.objects.filter(status=_B.REFUSED).update(status=_B.BOOKED, patient_told_at=NOW)
    UnmatchedReply.objects.filter(pk=UnmatchedReply.objects.values("pk")[:1]).update(handled_at=NOW)
    for model in (type(make_case()), type(make_case(Category.VALIDATION, use_case="a4t1"))):
        model.objects.filter(status=_S.UNKNOWN).update(status=_S.SENT)
        model.objects.filter(status=_S.RECEIVED).update(status=_S.REJECTED)
    CaseAnswer.objects.filter(state=_R.NO_ADDRESS).update(state=_R.DELIVERED)
    after = counted(clinician)
    check(clinician, after.values())
    assert {label for label, item in before.items() if after.get(label) != item} >= {
        "bookings and cancellations not known",
        "patients to tell",
        "received validations past their time",
        "cases with an answer that may not have arrived",
        "requests and updates not known to have arrived, or to be taken back",
    }
