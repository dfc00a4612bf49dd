"""What is written together travels together, and means what it would have meant one by one."""

from datetime import UTC, datetime

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from bars_portal.accounts.models import Organisation
from bars_portal.audit.models import AuditEvent
from bars_portal.sql import change, insert, together

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)
_RENAME = "UPDATE accounts_organisation SET name = %s WHERE ods_code = %s"


def organisation(code: str) -> Organisation:
    return Organisation(ods_code=code, name=f"Organisation {code}")


def event(action: str) -> AuditEvent:
    return AuditEvent(at=NOW, actor_label="Somebody", action=action)


def codes() -> set[str]:
    return set(Organisation.objects.filter(ods_code__startswith="Q").values_list("ods_code", flat=True))


def test_rows_and_changes_are_one_statement_at_the_end() -> None:
    insert(organisation("Q1"))
    with CaptureQueriesContext(connection) as seen:
        with together():
            insert(organisation("Q2"))
            insert(event("tests.see"))
            change(_RENAME, "Renamed", "Q1")
            assert not seen.captured_queries
        assert len(seen.captured_queries) == 1
    assert codes() == {"Q1", "Q2"}
    assert Organisation.objects.get(ods_code="Q1").name == "Renamed"


def test_keys_are_given_in_the_order_in_which_rows_were_written() -> None:
    events = [event(f"tests.see_{number}") for number in range(9)]
    with together():
        for each in events:
            insert(each, organisation(f"Q{each.action[-1]}"))
    keys = [each.pk for each in events]
    assert keys == sorted(keys)
    assert [AuditEvent.objects.get(pk=key).action for key in keys] == [each.action for each in events]


def test_who_looks_meanwhile_sees_what_was_written_before() -> None:
    with together():
        insert(organisation("Q1"))
        assert codes() == {"Q1"}
        insert(organisation("Q2"))
    assert codes() == {"Q1", "Q2"}


def test_after_an_exception_nothing_is_written() -> None:
    with pytest.raises(LookupError), together():
        insert(organisation("Q1"))
        raise LookupError
    assert codes() == set()
    insert(organisation("Q2"))
    assert codes() == {"Q2"}


def test_what_breaks_a_constraint_is_said_at_the_end_and_takes_all_with_it() -> None:
    written = []
    with pytest.raises(IntegrityError), transaction.atomic(), together():
        insert(organisation("Q1"))
        insert(organisation("Q1"))
        written.append("both")
    assert written == ["both"]
    assert codes() == set()


def test_a_savepoint_takes_back_what_was_written_after_it_and_nothing_else() -> None:
    with transaction.atomic(), together():
        insert(organisation("Q1"))
        with pytest.raises(LookupError), transaction.atomic():
            insert(organisation("Q2"))
            raise LookupError
        insert(organisation("Q3"))
    assert codes() == {"Q1", "Q3"}


def test_a_block_within_a_block_is_part_of_it() -> None:
    with CaptureQueriesContext(connection) as seen, together():
        with together():
            insert(organisation("Q1"))
        assert not seen.captured_queries
    assert codes() == {"Q1"}
