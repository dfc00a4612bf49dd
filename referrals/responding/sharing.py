"""Who works on a received case, and what colleagues tell one another about it."""

from datetime import datetime

from django.db import transaction

from bars_portal.accounts.acting import Acting, name_of
from bars_portal.accounts.models import User
from bars_portal.accounts.permissions import PolicyRefused
from bars_portal.audit.services import record
from bars_portal.correspondence.history import tell
from referrals.cases import policies
from referrals.cases.models import MODELS, Case, CaseNote, owned_by
from referrals.cases.selectors import locked, notes_of


@transaction.atomic
def assign_case(*, case: Case, to: User, seen: User | None, acting: Acting, now: datetime) -> Case:
    """Give it to a colleague, or take it. `seen`: who had it when the person looked.

    Raises PolicyRefused, also when somebody else was first.
    """
    _need_colleague(to, acting)
    return _assign(case, to, seen, acting, now)


@transaction.atomic
def unassign_case(*, case: Case, seen: User, acting: Acting, now: datetime) -> Case:
    """Nobody's again. Raises PolicyRefused as `assign_case` does."""
    return _assign(case, None, seen, acting, now)


@transaction.atomic
def add_note(*, case: Case, text: str, acting: Acting, now: datetime) -> CaseNote:
    """For colleagues only: no message carries it. Raises PolicyRefused.

    The same words by the same person twice in a row are one note: a second press of the button.
    """
    policies.check_can_work(acting, case)
    if not text.strip():
        raise PolicyRefused("Write something first.")
    newest = notes_of(locked(MODELS[case.category], case.pk)).last()
    if newest is not None and (newest.text, newest.author_id) == (text.strip(), acting.user.pk):
        return newest
    note = CaseNote.objects.create(
        **owned_by(case), text=text.strip(), author=acting.user, author_label=acting.actor.label, at=now
    )
    _record(case, "referrals.add_note", acting, now)
    tell(case, "note-written", now=now)
    return note


def _assign(case: Case, to: User | None, seen: User | None, acting: Acting, now: datetime) -> Case:
    policies.check_can_work(acting, case)
    rows = type(case).objects.filter(pk=case.pk, assigned_to=seen)
    if not rows.update(assigned_to=to):
        raise PolicyRefused("Somebody else has taken or given this case meanwhile. Look at it again.")
    case.assigned_to = to
    _record(case, "referrals.assign_case" if to else "referrals.unassign_case", acting, now, to)
    tell(case, "assigned" if to else "released", now=now)
    return case


def _need_colleague(user: User, acting: Acting) -> None:
    # An application works here without being a member.
    if user.pk != acting.user.pk and not user.memberships.filter(organisation=acting.organisation).exists():
        raise PolicyRefused(f"{name_of(user)} does not work here.")


def _record(case: Case, action: str, acting: Acting, now: datetime, to: User | None = None) -> None:
    record(
        actor=acting.actor,
        action=action,
        subject=case,
        detail={"to": to.pk} if to is not None else {},
        correlation_id=case.correlation_id,
        now=now,
    )
