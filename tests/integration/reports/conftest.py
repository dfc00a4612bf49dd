"""A week of rows of every report, for a manager and for another organisation."""

from datetime import UTC, date, datetime, timedelta
from uuid import uuid4

import pytest

from bars_portal.accounts.acting import Acting
from bars_portal.accounts.models import Organisation
from bars_portal.accounts.permissions import Role
from bars_portal.correspondence.states import Direction
from bars_portal.exchange.models import DeadLetterDecision, DeliveryAttempt, DeliveryState, InboundMessage
from bars_portal.reports.counting import Period
from bookings.models import SlotStatus
from bookings.states import BookingStatus
from referrals.cases.models import Case, CaseStatusChange, owned_by
from referrals.cases.states import ANSWERING, CaseEvent, CaseStatus, Category
from tests.factories.accounts import make_acting, make_organisation
from tests.factories.bookings import make_booking, make_schedule, make_slot
from tests.factories.messages import outbound
from tests.factories.referrals import make_case, make_hub
from tests.worlds import Kept, Worlds

# A week with the end of summer time in it: Sunday 25 October 2026 has 25 hours.
WEEK = Period(date(2026, 10, 19), date(2026, 10, 25))
NOW = datetime(2026, 10, 26, 9, 0, tzinfo=UTC)


def at(day: int, hour: int = 12, minute: int = 0) -> datetime:
    return datetime(2026, 10, day, hour, minute, tzinfo=UTC)


@pytest.fixture(scope="module")
def kept_manager(worlds: Worlds) -> Kept[Acting]:
    return worlds.keep(
        "kept_manager", lambda: make_acting(role=Role.MANAGER, organisation=make_organisation())
    )


@pytest.fixture
def manager(kept_manager: Kept[Acting], db: None) -> Acting:
    return kept_manager.copy()


@pytest.fixture(scope="module")
def kept_week(worlds: Worlds, kept_manager: Kept[Acting]) -> Kept[None]:
    """Rows of the manager's organisation and of another."""

    def make() -> None:
        world_of(kept_manager.original().organisation)
        world_of(make_organisation())

    return worlds.keep("kept_week", make)


@pytest.fixture
def week(kept_week: Kept[None], manager: Acting) -> None:
    kept_week.copy()


def decided(case: Case, event: CaseEvent, moment: datetime) -> None:
    CaseStatusChange.objects.create(
        **owned_by(case), event=event, to_status=case.status, at=moment, actor_label="Somebody", version=1
    )
    if event in ANSWERING and (case.answered_at is None or moment < case.answered_at):
        case.answered_at = moment
        case.save(update_fields=["answered_at"])


def world_of(organisation: Organisation) -> None:
    """Rows of every report on both sides of the week's edges."""
    hub = make_hub(provider=organisation)
    diary = make_schedule(service=hub)
    for day, status in ((20, "attended"), (20, "attended"), (21, "did-not-attend"), (25, "booked")):
        slot = make_slot(schedule=diary, start=at(day, 9 + len(diary.slots.all())), status=SlotStatus.BUSY)
        make_booking(
            service=hub,
            direction=Direction.RECEIVED,
            slot=slot,
            start=slot.start,
            status=BookingStatus(status),
            created_at=slot.start - timedelta(hours=2),
            sender_ods_code="RX111" if day == 20 else "",
            reference=f"B-{slot.pk}",
        )
    for hour in (20, 21, 22):
        make_slot(schedule=diary, start=at(22, hour), status=SlotStatus.FREE)
    make_slot(schedule=diary, start=at(23), status=SlotStatus.BUSY_UNAVAILABLE)
    make_slot(schedule=diary, start=at(24), status=SlotStatus.WITHDRAWN)
    # 25 October 23:30 in London is 23:30 UTC; 18 October 23:30 UTC is the 19th there.
    for moment in (at(25, 23, 30), at(18, 23, 30), at(26, 0, 10), at(18, 22, 30), at(13)):
        make_booking(organisation=organisation, service=make_hub(), created_at=moment)
    for category in Category:
        cases_of(category, organisation)
    messages_of(organisation)


def cases_of(category: Category, organisation: Organisation) -> None:
    hub = make_hub(provider=organisation)

    def case(status: CaseStatus, breach: datetime | None, answered: datetime | None = None) -> None:
        made = make_case(
            category,
            service=hub,
            status=status,
            breach_at=breach,
            created_at=at(20, 10),
            reference=str(uuid4()),
            use_case="a4t1" if category is Category.VALIDATION else "a1t1",
        )
        decided(made, CaseEvent.RECEIVE, at(20, 10))
        if answered:
            decided(made, CaseEvent.START, answered)
            decided(made, CaseEvent.COMPLETE, answered + timedelta(days=1))

    case(CaseStatus.COMPLETED, at(20, 12), at(20, 11))
    case(CaseStatus.COMPLETED, at(20, 12), at(20, 12))
    case(CaseStatus.COMPLETED, at(20, 12), at(20, 13))
    case(CaseStatus.COMPLETED, None, at(20, 14))
    case(CaseStatus.RECEIVED, at(25))
    case(CaseStatus.RECEIVED, NOW + timedelta(days=1))
    case(CaseStatus.REVOKED, at(20, 12))


def messages_of(organisation: Organisation) -> None:
    hub = make_hub(provider=organisation)
    for state, reason in (
        (DeliveryState.ACCEPTED, ""),
        (DeliveryState.QUEUED, ""),
        (DeliveryState.REFUSED, "REC_CONFLICT/conflict"),
        (DeliveryState.REFUSED, "REC_CONFLICT/conflict"),
        (DeliveryState.UNKNOWN, "timeout"),
        (DeliveryState.ABANDONED, "timeout"),
        (DeliveryState.ABANDONED, "=cmd()"),
        (DeliveryState.ABANDONED, "obsolete"),
    ):
        sent = outbound(organisation, created_at=at(21), settled_at=at(21), state=state, reason=reason)
        if state == DeliveryState.ACCEPTED:
            for number, took in enumerate((100, 900, 3000, None), start=1):
                DeliveryAttempt.objects.create(
                    message=sent, number=number, started_at=at(21), elapsed_ms=took, outcome="accepted"
                )
        if reason == "=cmd()":
            DeadLetterDecision.objects.create(
                message=sent,
                settled_at=at(21),
                decision="settled",
                note="Rang them",
                decided_at=NOW,
                actor_user=make_acting().user,
                actor_label="Somebody",
            )
    for answer, status, seconds in (("accepted", 200, 0.2), ("refused", 400, 0.4), ("refused", 422, 7.0)):
        InboundMessage.objects.create(
            headers={},
            body=b"{}",
            service_id=hub.service_id,
            sender_ods_code="RX111",
            received_at=at(22),
            completed_at=at(22) + timedelta(seconds=seconds),
            state=answer,
            status_code=status,
        )
