"""What was typed into a page whose session had ended is kept for the same person, encrypted, for an hour."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from urllib.parse import unquote, urlsplit

from django.db import transaction
from django.http import QueryDict

from bars_portal.accounts.acting import name_of
from bars_portal.accounts.models import ADDRESS_LENGTH, KeptForm, User
from bars_portal.audit.actor import Actor
from bars_portal.audit.services import record
from bars_portal.sealing import Sealer

# In the session of somebody who has kept forms: the others cost no query.
KEPT_FORMS = "kept_forms"
KEPT_FOR = timedelta(hours=1)
# Far more than the longest form has; more than that is not typed by a person.
_MOST_BYTES = 200_000
_MOST_FORMS = 10
_SEALER = Sealer("bars_portal.accounts kept form")
# Never written down, not even encrypted.
_SECRET = ("password", "otp", "token", "csrf")


@transaction.atomic
def keep_form(*, user: User, page: str, action: str, fields: QueryDict, now: datetime) -> bool:
    """False when there is nothing to keep, or too much, or for an address that no page of ours has.

    A newer one takes the place of the older.
    """
    typed = _typed(fields)
    forget_old(now=now)
    if not typed or len(typed) > _MOST_BYTES or not all(map(_may_be_ours, (page, action))):
        return False
    KeptForm.objects.update_or_create(
        user=user, page=page, action=action, defaults={"sealed": _SEALER.seal(typed), "kept_at": now}
    )
    newest = KeptForm.objects.filter(user=user).order_by("-kept_at").values("pk")[:_MOST_FORMS]
    KeptForm.objects.filter(user=user).exclude(pk__in=newest).delete()
    actor = Actor(label=name_of(user), user_id=user.pk)
    record(actor=actor, action="accounts.keep_form", subject=user, now=now)
    return True


def has_kept_forms(user: User, *, now: datetime) -> bool:
    return KeptForm.objects.filter(user=user, kept_at__gt=now - KEPT_FOR).exists()


def kept_forms(user: User, path: str, *, now: datetime) -> list[tuple[str, QueryDict]]:
    """(action, fields as they were typed) of the forms of the pages at a path, of one person."""
    rows = KeptForm.objects.filter(user=user, kept_at__gt=now - KEPT_FOR).order_by("kept_at")
    there = [each for each in rows if unquote(urlsplit(each.page).path) == path]
    opened = ((each.action, _SEALER.unseal(bytes(each.sealed))) for each in there)
    return [(action, QueryDict(typed)) for action, typed in opened if typed is not None]


def forget_form(user: User, action: str) -> None:
    """The form was sent after all."""
    KeptForm.objects.filter(user=user, action=action).delete()


def forget_old(*, now: datetime) -> None:
    """Everybody's, so that nothing stays because its owner never came back."""
    KeptForm.objects.filter(kept_at__lte=now - KEPT_FOR).delete()


def _may_be_ours(address: str) -> bool:
    """What the database can hold: anybody can make up an address."""
    return len(address) <= ADDRESS_LENGTH and "\0" not in address


def _typed(fields: QueryDict) -> bytes:
    kept = QueryDict(mutable=True)
    for name in _names(fields):
        kept.setlist(name, [each for each in fields.getlist(name) if isinstance(each, str)])
    return kept.urlencode().encode() if any(any(values) for _, values in kept.lists()) else b""


def _names(fields: QueryDict) -> Iterable[str]:
    return (name for name in fields if not any(word in name.lower() for word in _SECRET))
