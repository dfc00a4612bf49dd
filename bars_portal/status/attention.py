"""What waits at home for who runs the installation."""

from collections.abc import Iterator
from datetime import datetime

from bars_portal.accounts.acting import Acting
from bars_portal.accounts.home import AttentionItem
from bars_portal.nhsuk.pages import address
from bars_portal.status.models import Level
from bars_portal.status.selectors import conditions
from bars_portal.status.watched import ending

_URGENT_DAYS = 7


def certificates(acting: Acting, now: datetime) -> Iterator[AttentionItem]:
    if acting.may("status.view_condition"):
        found = ending(now=now)
        urgent = any((alarm := each.alarm(now)) is None or alarm <= _URGENT_DAYS for each in found)
        where = f"{address('status:certificates')}?soon=1"
        yield AttentionItem("certificates that end soon", len(found), where, urgent)


def wrong(acting: Acting, _now: datetime) -> Iterator[AttentionItem]:
    """As the worker noted it within the last minute: to look at everything anew takes too long here."""
    if acting.may("status.view_condition"):
        noted = [each for each in conditions().values() if each.level != Level.WELL]
        urgent = any(each.level == Level.WRONG for each in noted)
        where = f"{address('status:page')}?noted=1"
        yield AttentionItem("parts of the portal that do not work as they should", len(noted), where, urgent)
