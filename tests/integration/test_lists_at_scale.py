"""Lists over many rows: how PostgreSQL goes about them, at a scale at which that can be seen."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from django.contrib import admin
from django.db.models import Model
from django.test import RequestFactory

from bars_portal.accounts.acting import Acting
from bars_portal.accounts.permissions import Role
from bars_portal.correspondence.states import Direction
from bars_portal.exchange.models import InboundMessage, OutboundMessage
from bars_portal.exchange.selectors import given_up
from bars_portal.nhsuk.pages import RowPaginator
from bars_portal.reports.activity import REFERRALS
from bars_portal.reports.counting import Period, count
from bookings.models import Booking
from bookings.selectors.sent import attention_counts, sent_bookings
from bookings.states import BookingStatus
from referrals.cases.models import CaseStatusChange, owned_by
from referrals.cases.states import CaseStatus
from referrals.worklist.selectors import worklist
from referrals.worklist.sent import sent_cases
from tests.factories.accounts import make_acting
from tests.factories.bookings import make_booking
from tests.factories.messages import inbound, outbound
from tests.factories.referrals import make_case, make_hub
from tests.plans import multiply, plans, read_whole

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
ROWS = 4_000
_NEW_ID = {"id": "gen_random_uuid()", "created_at": "kept.created_at - n * interval '1 hour'"}


@pytest.fixture
def clinician() -> Acting:
    return make_acting(role=Role.CLINICIAN)


def nodes(plan: Any) -> Iterator[Any]:
    yield plan
    for each in plan.get("Plans", ()):
        yield from nodes(each)


def read_rows(ask: Callable[[], object], table: type[Model]) -> float:
    """How many rows of a table were read, of those that an index chose too."""
    name, found = table._meta.db_table, 0.0
    for _, plan in plans(ask):
        for node in nodes(plan):
            if node.get("Relation Name") == name and node["Node Type"] != "Index Only Scan":
                read = node["Actual Rows"] + node.get("Rows Removed by Filter", 0)
                found = max(found, read * node["Actual Loops"])
    return found


def fill_sent(acting: Acting, **columns: str) -> None:
    booking = make_booking(organisation=acting.organisation, status=BookingStatus.BOOKED, patient_told_at=NOW)
    multiply(booking, ROWS, **_NEW_ID, **columns)


def test_the_last_page_reads_the_rows_of_that_page(clinician: Acting) -> None:
    fill_sent(clinician)
    pages = RowPaginator(sent_bookings(clinician), 25)
    last = pages.num_pages
    assert len(pages.page(last).object_list) == ROWS + 1 - 25 * (last - 1)
    joined = {"directory_healthcareservice", "patients_patient", "patients_journey"}
    for _, plan in plans(lambda: list(pages.page(last).object_list)):
        for node in nodes(plan):
            if node.get("Relation Name") in joined:
                assert node["Actual Rows"] * node["Actual Loops"] <= 25


def test_pages_have_the_rows_and_the_order_of_the_list(clinician: Acting) -> None:
    fill_sent(clinician, status="CASE WHEN n % 2 = 0 THEN 'booked' ELSE 'cancelled' END")
    rows = sent_bookings(clinician, chosen=BookingStatus.BOOKED)
    pages = RowPaginator(rows, 700)
    assert [each.pk for page in pages for each in page.object_list] == list(rows.values_list("pk", flat=True))


def test_home_reads_no_booking_that_waits_for_nobody(clinician: Acting) -> None:
    fill_sent(clinician)
    make_booking(organisation=clinician.organisation, status=BookingStatus.UNKNOWN, patient_told_at=NOW)
    make_booking(organisation=clinician.organisation, status=BookingStatus.BOOKED)
    assert sum(attention_counts(clinician).values()) == 2
    assert read_rows(lambda: attention_counts(clinician), Booking) < 50


def test_what_was_given_up_is_found_among_all_that_was_never_sent(clinician: Acting) -> None:
    organisation = clinician.organisation
    never = outbound(organisation, state="abandoned", reason="deadline/never-sent", settled_at=NOW)
    old = {"settled_at": "kept.settled_at - interval '60 days'", "request_id": "gen_random_uuid()"}
    multiply(never, ROWS, **_NEW_ID, **old)
    lost = outbound(organisation, state="abandoned", reason="timeout", settled_at=NOW)

    def ask() -> list[OutboundMessage]:
        return list(given_up(organisation.pk, now=NOW))

    assert {each.pk for each in ask()} == {never.pk, lost.pk}
    assert read_rows(ask, OutboundMessage) < 50


@pytest.mark.parametrize(
    "ask", [worklist, lambda acting: sent_cases(acting, now=NOW)], ids=["worklist", "sent"]
)
def test_names_are_joined_to_the_rows_of_a_page(ask: Callable[[Acting], object]) -> None:
    acting = make_acting(role=Role.CLINICIAN)
    case = make_case(service=make_hub(provider=acting.organisation), breach_at=NOW)
    multiply(case, ROWS, **_NEW_ID, reference="n::text", status="'received'", draft_id="NULL::uuid")
    case.direction, case.reference, case.status = Direction.SENT, "", CaseStatus.ACCEPTED
    case.save()
    multiply(case, ROWS, **_NEW_ID, draft_id="NULL::uuid")
    for _, plan in plans(lambda: ask(acting)):
        for node in nodes(plan):
            if node.get("Relation Name") == "patients_patient":
                assert node["Actual Rows"] * node["Actual Loops"] <= 50


def test_the_first_answer_of_each_case_is_one_look_into_an_index(clinician: Acting) -> None:
    case = make_case(service=make_hub(provider=clinician.organisation), created_at=NOW)
    step = CaseStatusChange.objects.create(
        **owned_by(case), event="accept", to_status="accepted", at=NOW, actor_label="Somebody", version=1
    )
    multiply(step, ROWS, referral_id="gen_random_uuid()")
    multiply(step, ROWS, event="'note'", referral_id="kept.referral_id")
    day = Period(NOW.date(), NOW.date())

    def ask() -> object:
        return count(REFERRALS, clinician.organisation, day, {}, now=NOW)

    assert read_rows(ask, CaseStatusChange) <= 2
    for _, plan in plans(ask):
        assert not read_whole(plan)


@pytest.mark.parametrize("typed", ["A1", "a1", "3f0c2f6e-5f0b-4a7e-9d1c-0a5b7a1c2d3e"])
def test_whole_ids_are_compared_as_they_are_kept(typed: str) -> None:
    """A Bundle.id of others is a text, the other ids that are searched for are not."""
    page = admin.site._registry[InboundMessage]
    request = RequestFactory().get("/")
    known = inbound("2000099001", bundle_id=typed.upper())
    found, _ = page.get_search_results(request, InboundMessage.objects.all(), f" {typed} ")
    assert list(found) == [known]
    assert "UPPER" not in str(found.query)
