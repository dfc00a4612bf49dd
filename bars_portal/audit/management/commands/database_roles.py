"""Part the role that owns the tables from the role that the portal runs as."""

import os
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import ProgrammingError, connection, transaction

from bars_portal.audit.roles import APPEND_ONLY, WEAKNESSES, BadRoleName, statements


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
