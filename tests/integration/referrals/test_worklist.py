"""The worklist of received cases: who sees what, in which order, how many, and how dear."""

from datetime import timedelta
from itertools import count
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from bars_portal.accounts.acting import Acting
from bars_portal.accounts.permissions import Role
from directory.models import HealthcareService
from referrals.cases.models import Case, CaseAnswer
from referrals.cases.states import CaseStatus, Category, ResponseState
from referrals.worklist.query import PAGE_SIZE, Filters, Held, Kind, Order
from referrals.worklist.selectors import worklist, worklist_counts
from tests.factories.accounts import make_acting, make_organisation
from tests.factories.referrals import NOW, make_case, make_hub, make_sent_case

pytestmark = pytest.mark.django_db
REFERRAL, VALIDATION = Category.REFERRAL, Category.VALIDATION


@pytest.fixture
def here() -> HealthcareService:
    return make_hub(provider=make_organisation(name="Riverside"))


@pytest.fixture
def acting(here: HealthcareService) -> Acting:
    return make_acting(organisation=here.provider)


_made = count(1)


def case(here: HealthcareService, category: Category = REFERRAL, minutes: int = 0, **changes: Any) -> Case:
    """`minutes`: breach this long from now; made in the order of the calls."""
    number = next(_made)
    made = NOW + timedelta(seconds=number)
    breach = {"breach_at": NOW + timedelta(minutes=minutes)} if minutes else {}
    fields = {"reference": f"R-{number}", "created_at": made, **breach, **changes}
    return make_case(category, service=here, **fields)


def test_both_kinds_in_the_order_that_is_asked_for(here: HealthcareService, acting: Acting) -> None:
    late = case(here, VALIDATION, 60, priority="C2")
    soon = case(here, VALIDATION, 5, priority="C4")
    routine = case(here, priority="routine")
    grave = case(here, priority="C1")
    expected = {
        Order.BREACH: [soon, late, grave, routine],
        Order.PRIORITY: [grave, late, soon, routine],
        Order.AGE: [late, soon, routine, grave],
    }
    for order, cases in expected.items():
        page = worklist(acting, order=order)
        assert [row.id for row in page.rows] == [each.pk for each in cases]
        assert page.total == 4
    row = worklist(acting).rows[0]
    assert (row.kind, row.service_name, row.family_name) == (Kind.VALIDATION, here.name, "Quill")


def test_filters(here: HealthcareService, acting: Acting) -> None:
    other = make_hub(provider=here.provider)
    mine = case(here, assigned_to=acting.user, flags=["SG"], safeguarding=True)
    validation = case(here, VALIDATION, priority="C3")
    elsewhere = case(other, status=CaseStatus.IN_PROGRESS)
    over = case(here, status=CaseStatus.COMPLETED)
    person = Filters(held=Held.PERSON, person_id=acting.user.pk)
    for filters, expected in (
        (Filters(), [mine, validation, elsewhere]),
        (Filters(open=False), [over]),
        (Filters(open=None), [mine, validation, elsewhere, over]),
        (Filters(status=CaseStatus.IN_PROGRESS), [elsewhere]),
        (Filters(service_id=other.service_id), [elsewhere]),
        (Filters(kinds=(Kind.VALIDATION,)), [validation]),
        (Filters(priority="C3"), [validation]),
        (Filters(flag="SG"), [mine]),
        (Filters(held=Held.NOBODY), [validation, elsewhere]),
        (person, [mine]),
    ):
        page = worklist(acting, filters=filters, order=Order.AGE)
        assert ([row.id for row in page.rows], page.total) == ([each.pk for each in expected], len(expected))
    assert worklist(acting, filters=person).rows[0].assigned_to_name == acting.user.username


def test_only_what_the_organisation_received(here: HealthcareService, acting: Acting) -> None:
    case(make_hub())
    make_sent_case(organisation=here.provider)
    assert worklist(acting).rows == ()
    case(here)
    engineer = make_acting(role=Role.ENGINEER, organisation=here.provider)
    assert (worklist(engineer).total, worklist_counts(engineer, now=NOW).open) == (0, 0)
    assert worklist(acting).total == 1


def test_pages(here: HealthcareService, acting: Acting) -> None:
    cases = [case(here, (REFERRAL, VALIDATION)[number % 2]) for number in range(PAGE_SIZE + 3)]
    pages = [worklist(acting, order=Order.AGE, page=number) for number in (1, 2, 3, 0)]
    ids = [row.id for page in pages[:2] for row in page.rows]
    assert ids == [each.pk for each in cases]
    assert [len(page.rows) for page in pages] == [PAGE_SIZE, 3, 0, PAGE_SIZE]
    assert (pages[0].pages, pages[0].total) == (2, PAGE_SIZE + 3)


def test_counts(here: HealthcareService, acting: Acting) -> None:
    case(here, VALIDATION, -5, safeguarding=True)
    case(here, assigned_to=acting.user)
    case(here, status=CaseStatus.COMPLETED, safeguarding=True)
    counts = worklist_counts(acting, now=NOW)
    assert (counts.open, counts.breached, counts.unassigned, counts.mine) == (2, 1, 1, 1)
    assert (counts.safeguarding, counts.unmatched, counts.answers_troubled) == (1, 0, 0)


def test_an_answer_in_trouble_is_seen(here: HealthcareService, acting: Acting) -> None:
    held = case(here, VALIDATION, status=CaseStatus.COMPLETED)
    for minute, state in enumerate((ResponseState.REFUSED, ResponseState.DELIVERED, ResponseState.UNKNOWN)):
        CaseAnswer.objects.create(
            validation_id=held.pk, kind="full", state=state, created_at=NOW + timedelta(minutes=minute)
        )
        (row,) = worklist(acting, filters=Filters(open=None)).rows
        assert row.answer_troubled is (state is not ResponseState.DELIVERED)
    assert worklist_counts(acting, now=NOW).answers_troubled == 1, "what a later one made good is over"


def test_the_number_of_queries_does_not_grow(here: HealthcareService, acting: Acting) -> None:
    for number in range(6):
        case(here, (REFERRAL, VALIDATION)[number % 2], number)
    with CaptureQueriesContext(
        connection,
    ) as seen:
        worklist(acting)
    assert len(seen) == 4, "one UNION of keys, the rows of the page from each table, and whose answer is lost"


def test_the_index_serves_it(here: HealthcareService, acting: Acting) -> None:
    """Old cases are many, open ones few: the cost is that of the open ones."""
    old = case(here, status=CaseStatus.COMPLETED)
    names = [each.column for each in old._meta.concrete_fields if each.column not in ("id", "reference")]
    same = ", ".join(f'"{name}"' for name in names)
    case(here)
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO referrals_referral (id, reference, {same}) "
            f"SELECT gen_random_uuid(), 'OLD-' || number, {same} "
            "FROM referrals_referral, generate_series(1, 3000) number WHERE id = %s",
            [old.pk],
        )
        cursor.execute("ANALYZE referrals_referral")
        with CaptureQueriesContext(connection) as seen:
            assert worklist(acting).total == 1
        for query in seen.captured_queries:
            if "UNION" in query["sql"] or 'FROM "referrals_referral"' in query["sql"]:
                cursor.execute(f"EXPLAIN {query['sql']}")
                plan = " ".join(str(row) for row in cursor.fetchall())
                assert "referral_open" in plan or "referrals_referral_pkey" in plan
                assert "Seq Scan on referrals_referral" not in plan
