"""Part the role that owns the tables from the role that the portal runs as.

The second may add to the trail and to its seals and read them; a trigger that an owner could drop is no guard
against whoever has taken over the portal.
"""

import os
import re
import sys
from collections.abc import Iterator
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import ProgrammingError, connection, transaction

# What the portal may add to, and never change: the trail, its chain, and what stands for pruned events.
APPEND_ONLY = ("audit_auditevent", "audit_seal")
READ_ONLY = ("audit_pruning", "django_migrations")
_NAME = re.compile(r"[a-z_][a-z0-9_]{0,62}", re.ASCII)


class BadRoleName(ValueError):
    """Not a plain name of PostgreSQL: lower-case letters, digits and underscores."""


def statements(*, owner: str, application: str, database: str) -> Iterator[str]:
    """SQL for a superuser, or for the owner where both roles exist; to be run again after new tables.

    One transaction of the caller's. Raises BadRoleName.
    """
    for name in (owner, application):
        if not _NAME.fullmatch(name):
            raise BadRoleName(name)
    if owner == application:
        raise BadRoleName("owner and application are two roles")
    for name in (owner, application):
        yield _make(name)
    yield _own(owner)
    quoted = '"' + database.replace('"', '""') + '"'
    yield f"REVOKE CREATE ON DATABASE {quoted} FROM PUBLIC, {application}"
    yield f"GRANT CONNECT, TEMPORARY ON DATABASE {quoted} TO {application}"
    yield f"REVOKE CREATE ON SCHEMA public FROM PUBLIC, {application}"
    yield f"GRANT USAGE ON SCHEMA public TO {application}"
    yield f"REVOKE ALL ON ALL TABLES IN SCHEMA public FROM PUBLIC, {application}"
    yield f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {application}"
    yield f"REVOKE UPDATE, DELETE ON {', '.join(APPEND_ONLY)} FROM {application}"
    yield f"REVOKE INSERT, UPDATE, DELETE ON {', '.join(READ_ONLY)} FROM {application}"
    yield f"REVOKE ALL ON ALL SEQUENCES IN SCHEMA public FROM PUBLIC, {application}"
    yield f"GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {application}"
    # Tables of later migrations; what of them is append-only is taken back when this is run again.
    later = f"ALTER DEFAULT PRIVILEGES FOR ROLE {owner} IN SCHEMA public GRANT"
    yield f"{later} SELECT, INSERT, UPDATE, DELETE ON TABLES TO {application}"
    yield f"{later} USAGE, SELECT ON SEQUENCES TO {application}"


# One row where the role could change the trail, a reason in each; asked as anybody.
WEAKNESSES = """
SELECT 'it is a superuser' FROM pg_roles WHERE rolname = %(role)s AND rolsuper
UNION ALL
SELECT 'it owns ' || tablename FROM pg_tables
WHERE tablename = ANY(%(tables)s) AND pg_has_role(%(role)s, tableowner, 'MEMBER')
UNION ALL
SELECT 'it may ' || privilege || ' in ' || name FROM unnest(%(tables)s::text[]) AS name,
    unnest(ARRAY['UPDATE', 'DELETE', 'TRUNCATE', 'TRIGGER']) AS privilege
WHERE has_table_privilege(%(role)s, name, privilege)
"""


def _make(role: str) -> str:
    return f"""DO $$ BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{role}') THEN
        CREATE ROLE {role} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS;
    END IF;
END $$"""


def _own(owner: str) -> str:
    """All that stands in the schema, where it is somebody else's; a column's sequence follows its table."""
    return f"""DO $$ DECLARE thing text; BEGIN
    FOR thing IN
        SELECT 'TABLE ' || oid::regclass FROM pg_class
        WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v', 'm')
            AND pg_get_userbyid(relowner) <> '{owner}'
        UNION ALL
        SELECT 'FUNCTION ' || oid::regprocedure FROM pg_proc
        WHERE pronamespace = 'public'::regnamespace AND pg_get_userbyid(proowner) <> '{owner}'
        UNION ALL
        SELECT 'SCHEMA public' FROM pg_namespace
        WHERE nspname = 'public' AND pg_get_userbyid(nspowner) <> '{owner}'
    LOOP
        EXECUTE 'ALTER ' || thing || ' OWNER TO {owner}';
    END LOOP;
END $$"""  # noqa: S608 - a name of letters


class Command(BaseCommand):
    help = (
        "SQL that makes the database refuse to change the audit trail to the role that the portal runs as. "
        "Prints it; --apply runs it. Run it again after migrations that make tables."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--application", default="bars_app", metavar="ROLE", help="the portal runs as it")
        parser.add_argument("--owner", metavar="ROLE", help="owns the tables (default: who does now)")
        parser.add_argument("--apply", action="store_true", help="run it, as the user of DATABASE_URL")
        parser.add_argument(
            "--password-from", metavar="VARIABLE", help="with --apply: the application's password is in it"
        )
        parser.add_argument("--check", action="store_true", help="say whether that role can change the trail")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["check"]:
            self._check(options["application"])
            return
        try:
            wanted = [*self._statements(options["owner"] or _owner(), options["application"])]
        except BadRoleName as name:
            raise CommandError(
                f"Roles are named in lower-case letters, digits and underscores: {name}"
            ) from None
        if not options["apply"]:
            self.stdout.write("BEGIN;\n" + "".join(f"{each};\n" for each in wanted) + "COMMIT;")
            return
        try:
            self._apply(wanted, options["application"], options["password_from"])
        except ProgrammingError as refusal:
            raise CommandError(f"The database refused: {refusal}") from None
        self.stdout.write(f"{options['application']} can add to the trail, and never change it.")

    def _statements(self, owner: str, application: str) -> list[str]:
        database = str(connection.settings_dict["NAME"])
        return list(statements(owner=owner, application=application, database=database))

    def _apply(self, wanted: list[str], application: str, variable: str | None) -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            for each in wanted:
                cursor.execute(each)
            if variable:
                cursor.execute(f"ALTER ROLE {application} PASSWORD '{_encrypted(application, variable)}'")

    def _check(self, role: str) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT FROM pg_roles WHERE rolname = %s", [role])
            if cursor.fetchone() is None:
                raise CommandError(f"There is no role {role}.", returncode=2)
            cursor.execute(WEAKNESSES, {"role": role, "tables": [*APPEND_ONLY, "audit_pruning"]})
            found = [why for (why,) in cursor]
        if found:
            self.stdout.write(f"{role} can change the trail: {'; '.join(found)}.")
            sys.exit(1)
        self.stdout.write(f"{role} can add to the trail, and never change it.")


def _owner() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT tableowner FROM pg_tables WHERE tablename = 'audit_auditevent'")
        found = cursor.fetchone()
    if found is None:
        raise CommandError("There are no tables yet: migrate first.")
    return str(found[0])


def _encrypted(role: str, variable: str) -> str:
    """By SCRAM, here: the server's log never sees the password."""
    password = os.environ.get(variable, "")
    if not password:
        raise CommandError(f"{variable} must hold the password of {role}.")
    connection.ensure_connection()
    server = connection.connection.pgconn
    return str(server.encrypt_password(password.encode(), role.encode(), b"scram-sha-256").decode())
