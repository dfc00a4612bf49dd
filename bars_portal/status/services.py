"""Remembering since when each check has said what it says, and telling staff what ends soon."""

from collections.abc import Iterable
from datetime import datetime

from django.conf import settings

from bars_portal.accounts import mail
from bars_portal.accounts.models import User
from bars_portal.accounts.permissions import Role
from bars_portal.status.checks import Moment, look_at_all
from bars_portal.status.models import Condition, ExpiryAlarm
from bars_portal.status.watched import Watched, ending, ends_in_words


def note_conditions(at: Moment) -> None:
    """Look at everything; a level that has changed begins now. Whoever else does the same changes nothing."""
    for check, finding in look_at_all(at):
        row = Condition(check_name=check.name, level=finding.level, since=at.now)
        Condition.objects.bulk_create([row], ignore_conflicts=True)
        changed = Condition.objects.filter(pk=check.name).exclude(level=finding.level)
        changed.update(level=finding.level, since=at.now)


# Whoever renews certificates; managers see them at home and on the page.
_TOLD = (Role.ENGINEER, Role.INSTALLER)


def mail_expiries(*, now: datetime) -> int:
    """Tell engineers of what has come nearer to its end; of how many things.

    Claimed first, so that two workers tell it once; what no server took is told again an hour later.
    """
    if not settings.EMAIL_HOST:
        return 0
    claimed = [(each, alarm) for each in ending(now=now) if (alarm := _claim(each, now)) is not None]
    if not claimed:
        return 0
    text = _mail_text((each for each, _ in claimed), now)
    addresses = _engineers()
    if addresses and mail.send(to=addresses, subject="Certificates of the BaRS portal end soon", text=text):
        return len(claimed)
    ExpiryAlarm.objects.filter(pk__in=[alarm.pk for _, alarm in claimed]).delete()
    return 0


def _claim(thing: Watched, now: datetime) -> ExpiryAlarm | None:
    days = thing.alarm(now)
    if days is None:
        return None
    alarm, is_new = ExpiryAlarm.objects.get_or_create(
        fingerprint=thing.sha256, days=days, defaults={"told_at": now}
    )
    return alarm if is_new else None


def _mail_text(things: Iterable[Watched], now: datetime) -> str:
    lines = [f"- {each.name}: {ends_in_words(each, now)}. {'; '.join(each.places)}" for each in things]
    steps = 'Renew each and put the new file in its place. The page "Certificates and keys" has the details.'
    return "\n".join(["These end soon, or have ended:", "", *lines, "", steps, ""])


def _engineers() -> list[str]:
    people = User.objects.filter(is_active=True, memberships__role__in=[role.value for role in _TOLD])
    return list(people.exclude(email="").values_list("email", flat=True).distinct())
