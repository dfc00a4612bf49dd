"""What staff set up by hand: a code of a list, a rule on when a request is due."""

from datetime import datetime

from django.db import transaction

from bars_portal.audit.actor import Actor
from bars_portal.audit.services import record
from referrals.models import BreachRule, ListedCode

Setting = ListedCode | BreachRule


@transaction.atomic
def save_setting(*, row: Setting, actor: Actor, now: datetime) -> None:
    row.save()
    record(actor=actor, action=f"referrals.save_{row._meta.model_name}", subject=row, now=now)


@transaction.atomic
def remove_setting(*, row: Setting, actor: Actor, now: datetime) -> None:
    record(actor=actor, action=f"referrals.remove_{row._meta.model_name}", subject=row, now=now)
    row.delete()
