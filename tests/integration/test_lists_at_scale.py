"""Lists over many rows: how PostgreSQL goes about them, at a scale at which that can be seen."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from statistics import median
from typing import Any

import pytest
from django.contrib import admin
from django.db import connection
from django.db.models import Model
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext

from bars_portal.accounts.acting import Acting
from bars_portal.accounts.models import User
from bars_portal.accounts.people.selectors import people_by_name
from bars_portal.accounts.permissions import Role
from bars_portal.api.models import Webhook
from bars_portal.api.webhooks.selectors import attention
from bars_portal.correspondence.states import Direction
from bars_portal.exchange.message_log.conversations import Wanted, list_conversations
from bars_portal.exchange.message_log.dead_letters import Trouble, counts, dead_letters
from bars_portal.exchange.models import InboundMessage, OutboundMessage
from bars_portal.exchange.selectors import given_up
from bars_portal.nhsuk.pages import RowPaginator
from bars_portal.reports.activity import APPOINTMENTS, REFERRALS
from bars_portal.reports.counting import Counts, Period, count, number_of_rows
from bars_portal.reports.definitions import Report
from bars_portal.reports.exchange import RECEIVED, SENT
from bookings.models import Booking
from bookings.selectors.sent import attention_counts, sent_bookings
from bookings.states import BookingStatus
from referrals.cases.history import change_case
from referrals.cases.models import CaseStatusChange, Referral
from referrals.cases.states import CaseEvent, CaseStatus
from referrals.worklist.selectors import worklist, worklist_counts
from referrals.worklist.sent import SentPage, sent_cases
from tests.factories.accounts import add_membership, make_acting, make_user
from tests.factories.api import make_application, make_webhook
from tests.factories.bookings import make_booking
from tests.factories.messages import inbound, outbound
from tests.factories.referrals import make_case, make_hub, make_sent_case
from tests.plans import multiply, plans

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
    for _, plan in plans(lambda: list(pages.page(last).object_list)):
        for node in nodes(plan):
            # Whichever way it is joined: of one service and one patient a hash has one row.
            if "Join" in node["Node Type"] or node["Node Type"] == "Nested Loop":
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


def test_a_report_of_cases_asks_no_step_when_they_were_answered(clinician: Acting) -> None:
    case = make_case(service=make_hub(provider=clinician.organisation), created_at=NOW)
    change_case(case=case, event=CaseEvent.ACCEPT, actor=clinician.actor, now=NOW + timedelta(hours=2))
    change_case(case=case, event=CaseEvent.START, actor=clinician.actor, now=NOW + timedelta(hours=3))
    day = Period(NOW.date(), NOW.date())

    def ask() -> Counts:
        return count(REFERRALS, clinician.organisation, day, {}, now=NOW)

    assert ask().total.measured[1] == 2 * 3600
    assert not any(
        node.get("Relation Name") == CaseStatusChange._meta.db_table
        for _, plan in plans(ask)
        for node in nodes(plan)
    )


@pytest.mark.parametrize(
    ("report", "table"), [(APPOINTMENTS, Booking), (RECEIVED, InboundMessage), (SENT, OutboundMessage)]
)
def test_a_report_reads_its_index_alone(clinician: Acting, report: Report, table: type[Model]) -> None:
    """A booking and a message are large, and a table at work has been vacuumed."""
    service = make_hub(provider=clinician.organisation)
    booking = make_booking(service=service, direction=Direction.RECEIVED, start=NOW)
    later = {"start": "kept.start + n * interval '1 day'", "slot_id": "NULL::uuid"}
    multiply(booking, ROWS, **_NEW_ID, **later, reference="n::text", draft_id="NULL::uuid")
    received = inbound(service.service_id, received_at=NOW)
    earlier = {"id": "gen_random_uuid()", "request_id": "gen_random_uuid()"}
    multiply(received, ROWS, **earlier, received_at="kept.received_at - n * interval '1 day'")
    sent = outbound(clinician.organisation, created_at=NOW)
    multiply(sent, ROWS, **earlier, created_at="kept.created_at - n * interval '1 day'")
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE pg_class SET relallvisible = relpages WHERE relname = %s", [table._meta.db_table]
        )
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("SET LOCAL enable_bitmapscan = off")
    day = Period(NOW.date(), NOW.date())

    def ask() -> Counts:
        return count(report, clinician.organisation, day, {}, now=NOW)

    assert ask().total.count == 1
    read = [
        node["Node Type"]
        for _, plan in plans(ask)
        for node in nodes(plan)
        if node.get("Relation Name") == table._meta.db_table
    ]
    assert read == ["Index Only Scan"]


@pytest.mark.parametrize("answered", [1, 2, 3, ROWS])
def test_no_key_of_a_report_is_sorted_for(clinician: Acting, answered: int) -> None:
    """The values of a key are gathered in the order in which they come: a sort by keys would lose it."""
    case = make_case(service=make_hub(provider=clinician.organisation), created_at=NOW)
    took = "(n * 7919 % 5003) * interval '1 second'"
    multiply(
        case,
        answered,
        id="gen_random_uuid()",
        draft_id="NULL::uuid",
        reference="n::text",
        answered_at=f"kept.created_at + {took}",
    )
    day, seconds = Period(NOW.date(), NOW.date()), sorted(n * 7919 % 5003 for n in range(1, answered + 1))

    def ask() -> Counts:
        return count(REFERRALS, clinician.organisation, day, {}, now=NOW)

    (told,) = ask().by["direction"].values()
    assert told.measured[1] == median(seconds)
    assert ask().total.measured[1] == median(seconds)
    for _, plan in plans(ask):
        found = [node for node in nodes(plan) if node["Node Type"] == "Aggregate"]
        assert {node["Strategy"] for node in found} == {"Hashed"}


def fill_received(acting: Acting) -> None:
    """One in ten is open."""
    case = make_case(service=make_hub(provider=acting.organisation), breach_at=NOW)
    status = "CASE WHEN n % 10 = 0 THEN 'received' ELSE 'completed' END"
    breach = "kept.created_at + n * interval '1 minute'"
    multiply(
        case, ROWS, **_NEW_ID, reference="n::text", status=status, breach_at=breach, draft_id="NULL::uuid"
    )


@pytest.mark.parametrize(
    "ask",
    [
        worklist,
        lambda acting: worklist(acting, page=10),
        lambda acting: worklist_counts(acting, now=NOW),
    ],
    ids=["first", "later", "counts"],
)
def test_a_worklist_looks_at_the_cases_that_it_shows(ask: Callable[[Acting], object]) -> None:
    acting = make_acting(role=Role.CLINICIAN)
    fill_received(acting)
    assert read_rows(lambda: ask(acting), Referral) <= 25


def test_the_last_page_of_what_was_sent_joins_its_own_rows() -> None:
    acting = make_acting(role=Role.CLINICIAN)
    case = make_sent_case(organisation=acting.organisation)
    multiply(case, ROWS, **_NEW_ID, draft_id="NULL::uuid")
    pages = sent_cases(acting, now=NOW).pages

    def ask() -> SentPage:
        return sent_cases(acting, now=NOW, page=pages)

    assert len(ask().rows) == ROWS + 1 - 25 * (pages - 1)
    for _, plan in plans(ask):
        for node in nodes(plan):
            if "Join Type" in node:
                assert node["Actual Rows"] * node["Actual Loops"] <= 25


def test_a_conversation_that_goes_on_is_passed_once(clinician: Acting) -> None:
    """Everything that came was answered since: the last message of none of it is a received one."""
    service = make_hub(provider=clinician.organisation)
    shared = {"id": "gen_random_uuid()", "request_id": "gen_random_uuid()", "bundle_id": "gen_random_uuid()"}
    same = {**shared, "correlation_id": "md5('c' || n)::uuid"}
    ago = "- n * interval '1 minute'"
    came = inbound(service.service_id, received_at=NOW)
    multiply(came, ROWS, **same, received_at=f"kept.received_at {ago}")
    answer = outbound(clinician.organisation, created_at=NOW)
    multiply(answer, ROWS, **same, created_at=f"kept.created_at {ago} + interval '5 seconds'")
    with CaptureQueriesContext(connection) as asked:
        page = list_conversations(clinician.organisation.pk, Wanted(), now=NOW)
    assert len(page.conversations) == 25
    assert len(asked) <= 6


def test_dead_letters_are_counted_without_what_arrived(clinician: Acting) -> None:
    taken = outbound(clinician.organisation, state="accepted", settled_at=NOW)
    multiply(taken, ROWS, **_NEW_ID, request_id="gen_random_uuid()")
    outbound(clinician.organisation, state="abandoned", reason="timeout", settled_at=NOW)

    def ask() -> object:
        return counts(clinician.organisation.pk, now=NOW)

    assert counts(clinician.organisation.pk, now=NOW)[Trouble.NOT_KNOWN] == 1
    assert read_rows(ask, OutboundMessage) < 50


def test_dead_letters_are_found_without_what_was_refused(clinician: Acting) -> None:
    refused = outbound(clinician.organisation, state="refused", reason="409", settled_at=NOW)
    multiply(refused, ROWS, **_NEW_ID, request_id="gen_random_uuid()")
    never = outbound(clinician.organisation, state="abandoned", reason="deadline/never-sent", settled_at=NOW)
    lost = outbound(clinician.organisation, state="abandoned", reason="timeout", settled_at=NOW)

    def ask() -> list[OutboundMessage]:
        return list(dead_letters(clinician.organisation.pk, now=NOW))

    assert {each.pk for each in ask()} == {never.pk, lost.pk}
    assert read_rows(ask, OutboundMessage) < 50


def test_people_are_listed_in_the_order_of_an_index(clinician: Acting) -> None:
    """Among people of others too: who belongs is asked of those whom the page shows."""
    multiply(clinician.user, ROWS, username="'user' || n", last_name="'Family ' || n % 70")
    multiply(clinician.user.memberships.get(), ROWS, user_id=f"{clinician.user.pk} + n")

    def ask() -> list[User]:
        return list(RowPaginator(people_by_name(clinician.organisation), 25).page(1).object_list)

    assert len(ask()) == 25
    asked = [
        node
        for _, plan in plans(ask)
        for node in nodes(plan)
        if node.get("Index Name") == "user_by_name" and node["Actual Rows"] <= 25
    ]
    assert asked


def test_who_has_access_is_who_belongs_and_who_administers_everything(clinician: Acting) -> None:
    root = make_user(role=None, is_superuser=True, username="root")
    gone = make_user(role=None, is_superuser=True, username="gone")
    User.objects.filter(pk=gone.pk).update(is_active=False)
    make_user(username="elsewhere")
    assert set(people_by_name(clinician.organisation)) == {clinician.user, root}
    add_membership(gone, clinician.organisation, Role.CLERK)
    assert gone in set(people_by_name(clinician.organisation))


def test_a_number_of_the_day_joins_nothing(clinician: Acting) -> None:
    """The names of a list's keys are no part of how long it is."""
    day = Period(NOW.date(), NOW.date())
    case = make_case(service=make_hub(provider=clinician.organisation), created_at=NOW)
    for chosen in ({}, {"direction": "received"}):
        with CaptureQueriesContext(connection) as asked:
            found = number_of_rows(REFERRALS, case.organisation, day, chosen, now=NOW)
        assert found == 1
        assert "JOIN" not in str(asked.captured_queries[0]["sql"])


def test_the_messages_of_a_page_are_asked_for_together(clinician: Acting) -> None:
    """A part of a statement for each conversation took longer to write than all else of the page."""
    came = [inbound(make_hub(provider=clinician.organisation).service_id, received_at=NOW) for _ in range(4)]
    nameless = inbound(came[0].service_id, received_at=NOW, correlation_id=None)
    for each in came:
        outbound(clinician.organisation, created_at=NOW, correlation_id=each.correlation_id)
    with CaptureQueriesContext(connection) as asked:
        page = list_conversations(clinician.organisation.pk, Wanted(), now=NOW)
    assert {each.id: len(each.messages) for each in page.conversations} == {
        **{each.correlation_id: 2 for each in came},
        nameless.pk: 1,
    }
    assert max(str(each["sql"]).count("UNION ALL") for each in asked.captured_queries) <= 2


def test_the_worklist_asks_for_replies_and_answers_once(client: Client) -> None:
    acting = make_acting(role=Role.CLINICIAN)
    make_case(service=make_hub(provider=acting.organisation))
    client.force_login(acting.user)
    with CaptureQueriesContext(connection) as asked:
        assert client.get("/referrals/worklist/").status_code == 200
    told = [str(each["sql"]) for each in asked.captured_queries]
    for table in ("referrals_unmatchedreply", "referrals_caseanswer"):
        # Answers also of the cases on the page.
        most = 2 if table == "referrals_caseanswer" else 1
        assert sum(f'FROM "{table}"' in each for each in told) <= most, table
    assert len(told) <= 22


def test_home_reads_no_webhook_that_is_on() -> None:
    acting = make_acting(role=Role.ENGINEER)
    application = make_application(organisation=acting.organisation)
    hook, _ = make_webhook(url="https://hooks.example/", application=application)
    multiply(hook, ROWS, id="gen_random_uuid()")
    Webhook.objects.filter(pk=hook.pk).update(off_at=NOW, off_reason="failing")

    def ask() -> list[int]:
        return [each.count for each in attention(acting, NOW)]

    assert ask() == [1]
    assert read_rows(ask, Webhook) < 5


@pytest.mark.parametrize("typed", ["A1", "a1", "3f0c2f6e-5f0b-4a7e-9d1c-0a5b7a1c2d3e"])
def test_whole_ids_are_compared_as_they_are_kept(typed: str) -> None:
    """A Bundle.id of others is a text, the other ids that are searched for are not."""
    page = admin.site._registry[InboundMessage]
    request = RequestFactory().get("/")
    known = inbound("2000099001", bundle_id=typed.upper())
    with CaptureQueriesContext(connection) as asked:
        found, _ = page.get_search_results(request, InboundMessage.objects.all(), f" {typed} ")
        assert list(found) == [known]
    assert not any("UPPER" in str(each["sql"]) for each in asked.captured_queries)
