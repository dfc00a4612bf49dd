"""Whether the database server's own log may hold patients: it writes statements down, values and all."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Tags, Warning, register
from django.db import DatabaseError, connections

from bars_portal.credentials.environments import ENVIRONMENTS

# By setting: the values that keep what people typed out of the log, the first of them to be advised. Errors
# themselves (`invalid input syntax for type date: "..."`), the statement of an error, its detail
# ("Key (...)=(...)"), every statement, the slow ones.
DISCREET: Mapping[str, tuple[str, ...]] = {
    "log_min_messages": ("log", "fatal", "panic"),
    "log_min_error_statement": ("panic", "fatal", "log"),
    "log_error_verbosity": ("terse",),
    "log_statement": ("none", "ddl"),
    "log_min_duration_statement": ("-1",),
    "log_min_duration_sample": ("-1",),
    "log_parameter_max_length_on_error": ("0",),
}


@register(Tags.database)
def database_log_is_discreet(databases: Sequence[str] | None = None, **_: Any) -> list[CheckMessage]:
    """For `migrate` and `check --database default`; where the patients are invented nobody is warned."""
    if not databases or ENVIRONMENTS[settings.BARS["ENVIRONMENT"]].is_simulated:
        return []
    return [
        Warning(
            f"The database server's log may hold patients: {name} is {value}.",
            hint=f"Set {name} to {DISCREET[name][0]} on the server, or for the portal's role.",
            id="portal.W001",
        )
        for name, value in _settings_of(databases[0]).items()
        if value not in DISCREET[name]
    ]


def _settings_of(alias: str) -> dict[str, str]:
    """As the server has them for our sessions; nothing when it is away, which others will say."""
    try:
        with connections[alias].cursor() as cursor:
            cursor.execute(
                "SELECT name, setting FROM pg_settings WHERE name = ANY(%s) ORDER BY name", [list(DISCREET)]
            )
            return dict(cursor.fetchall())
    except DatabaseError:
        return {}
