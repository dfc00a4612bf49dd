"""What the database refuses to the role that the portal runs as, and to the owner's by trigger."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction
from psycopg.errors import InsufficientPrivilege

from bars_portal.accounts.models import Organisation
from bars_portal.audit.actor import SYSTEM
from bars_portal.audit.chain.sealer import seal_trail
from bars_portal.audit.services import record
from tests.factories.accounts import make_organisation

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 7, 14, 9, 30, tzinfo=UTC)
OWNER, APPLICATION = "trail_tests_owner", "trail_tests_app"


def say(*arguments: str) -> str:
    said = io.StringIO()
    call_command("database_roles", "--application", APPLICATION, *arguments, stdout=said)
    return said.getvalue()


@contextmanager
def acting_as(role: str) -> Iterator[None]:
    with connection.cursor() as cursor:
        cursor.execute(f"SET ROLE {role}")
        yield
        cursor.execute("RESET ROLE")


@pytest.fixture
def roles() -> None:
    """Both roles, gone again with the test's transaction; an event, sealed."""
    say("--apply", "--owner", OWNER)
    record(actor=SYSTEM, action="tests.happen", now=NOW)
    seal_trail(now=NOW)


TABLES = ("audit_auditevent", "audit_seal", "audit_pruning")
REFUSED = (
    *(
        statement.format(table)
        for table in TABLES
        for statement in (
            "UPDATE {0} SET id = id" if table == "audit_auditevent" else "UPDATE {0} SET hash = hash",
            "DELETE FROM {0}",
            "TRUNCATE {0}",
            "ALTER TABLE {0} DISABLE TRIGGER ALL",
            "ALTER TABLE {0} RENAME TO elsewhere",
            "DROP TABLE {0}",
        )
    ),
    "DROP TRIGGER audit_no_update ON audit_auditevent",
    "DROP TRIGGER audit_seal_no_delete ON audit_seal",
    "ALTER FUNCTION audit_refuse() RENAME TO nothing",
    "CREATE OR REPLACE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN OLD; END'",
    "CREATE TABLE mine (id int)",
    "SET session_replication_role = replica",
    "INSERT INTO audit_pruning VALUES (1, 1, 1, '', '{}', now(), 'x', 'x', '')",
    # What the pruning of the owner does.
    "SELECT set_config('audit.pruning', pg_current_xact_id()::text, true); DELETE FROM audit_auditevent",
    "SELECT setval('audit_auditevent_id_seq', 1)",
    f"ALTER ROLE {APPLICATION} SUPERUSER",
    "DELETE FROM django_migrations",
)


def test_the_application_is_refused(roles: None) -> None:
    assert [each for each in REFUSED if not is_refused(each)] == []


def is_refused(statement: str) -> bool:
    """By privilege or ownership, not by a trigger that an owner could drop."""
    with acting_as(APPLICATION):
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(statement)
                transaction.set_rollback(True)
        except DatabaseError as refusal:
            return isinstance(refusal.__cause__, InsufficientPrivilege)
    return False


def test_the_application_adds_seals_and_does_all_else(roles: None) -> None:
    with acting_as(APPLICATION):
        organisation = make_organisation()
        record(actor=SYSTEM, action="tests.happen", now=NOW)
        assert seal_trail(now=NOW) == 1
        assert Organisation.objects.filter(pk=organisation.pk).update(name="Other") == 1


def test_the_owner_is_refused_by_trigger(roles: None) -> None:
    with (
        acting_as(OWNER),
        pytest.raises(DatabaseError, match="append-only"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute("DELETE FROM audit_seal")


def test_a_table_of_a_later_migration_is_the_applications_too(roles: None) -> None:
    with acting_as(OWNER), connection.cursor() as cursor:
        cursor.execute("CREATE TABLE later (id int)")
    with acting_as(APPLICATION), connection.cursor() as cursor:
        cursor.execute("INSERT INTO later VALUES (1)")


def test_it_says_whether_the_role_could_change_the_trail(roles: None) -> None:
    assert "never change it" in say("--check")
    with connection.cursor() as cursor:
        cursor.execute(f"GRANT UPDATE ON audit_seal TO {APPLICATION}")
    with pytest.raises(SystemExit):
        say("--check")


def test_it_is_printed_and_said_twice_without_harm(roles: None) -> None:
    printed = say("--owner", OWNER)
    assert printed.startswith("BEGIN;") and printed.rstrip().endswith("COMMIT;")
    assert f"REVOKE UPDATE, DELETE ON audit_auditevent, audit_seal FROM {APPLICATION}" in printed
    say("--apply", "--owner", OWNER)


@pytest.mark.parametrize("owner", ["x; DROP TABLE x", "Bars", APPLICATION])
def test_only_plain_names(owner: str) -> None:
    with pytest.raises(CommandError):
        say("--owner", owner)
