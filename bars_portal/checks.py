"""System checks that span apps."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register


@register()
def database_is_postgresql(**_: Any) -> list[CheckMessage]:
    """Constraints, locks and partial indexes are PostgreSQL's: there is no other branch anywhere."""
    if settings.DATABASES["default"]["ENGINE"].endswith("postgresql"):
        return []
    return [Error("The portal runs on PostgreSQL only: see DATABASE_URL.", id="portal.E001")]
