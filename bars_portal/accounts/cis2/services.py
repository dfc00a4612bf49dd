"""Letting somebody in by their CIS2 user id, and ending sessions that CIS2 has ended."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib import import_module

from django.conf import settings
from django.contrib.sessions.backends.base import SessionBase
from django.db import transaction
from django.db.models import Q

from bars_portal.accounts.acting import UNKNOWN, memberships_of
from bars_portal.accounts.cis2.issuer import Reason, SignInRefused, configured
from bars_portal.accounts.cis2.sign_in import Person, end_address
from bars_portal.accounts.cis2.tokens import Ended
from bars_portal.accounts.models import Cis2Identity, Cis2Session, User
from bars_portal.accounts.services import record_sign_out
from bars_portal.audit.services import record

# What the session of somebody who signed in there holds.
ID_TOKEN = "cis2_id_token"  # noqa: S105 - the name of a key


@dataclass(frozen=True)
class Admission:
    """Who comes in, and for which of their organisations: those that the claims name too."""

    user: User
    organisation_ids: tuple[int, ...]


def admit(person: Person, *, issuer: str) -> Admission:
    """Raises SignInRefused for somebody without an account, or without an organisation in common."""
    identity = (
        Cis2Identity.objects.filter(issuer=issuer, subject=person.subject).select_related("user").first()
    )
    if not person.subject or identity is None or not identity.user.is_active:
        raise SignInRefused(Reason.UNKNOWN_PERSON)
    found = [
        each.organisation_id
        for each in memberships_of(identity.user)
        if each.organisation.ods_code in person.ods_codes
    ]
    if not found:
        raise SignInRefused(Reason.NO_ORGANISATION)
    return Admission(identity.user, tuple(dict.fromkeys(found)))


@transaction.atomic
def remember_session(*, user: User, issuer: str, sid: str, session_key: str, now: datetime) -> None:
    """So that CIS2 can end it; what can have no session any more is forgotten."""
    oldest = now - timedelta(seconds=settings.ABSOLUTE_LIMIT_SECONDS)
    Cis2Session.objects.filter(started_at__lt=oldest).delete()
    Cis2Session.objects.create(user=user, issuer=issuer, sid=sid, session_key=session_key, started_at=now)


def follow_issuer(*, sid: str, session_key: str) -> None:
    """They signed in there again: its new session is the one whose end ends ours."""
    Cis2Session.objects.filter(session_key=session_key).update(sid=sid)


def end_sessions(ended: Ended, *, issuer: str, now: datetime) -> None:
    """What CIS2 has ended is over here."""
    store = import_module(settings.SESSION_ENGINE).SessionStore
    named = Q(sid=ended.sid) if ended.sid else Q(user__cis2_identities__subject=ended.subject)
    if ended.sid and ended.subject:
        named &= Q(user__cis2_identities__subject=ended.subject)
    with transaction.atomic():
        # Locked: the same logout twice ends, and records, each session once.
        rows = Cis2Session.objects.select_for_update(of=("self",)).select_related("user")
        for session in rows.filter(named, issuer=issuer):
            store(session.session_key).delete()
            record_sign_out(user=session.user, reason="cis2", now=now)
            session.delete()


def leave_issuer(session: SessionBase, *, back_to: str, now: datetime) -> str:
    """Before our session ends: where CIS2 ends its own, "" for who did not sign in there."""
    config, id_token = configured(), session.get(ID_TOKEN, "")
    if config is None or not id_token:
        return ""
    Cis2Session.objects.filter(session_key=session.session_key or "").delete()
    return end_address(config, id_token=id_token, back_to=back_to, now=now)


def record_refusal(reason: Reason, *, now: datetime) -> None:
    detail = {"way": "cis2", "reason": reason.value}
    record(actor=UNKNOWN, action="accounts.sign_in", outcome="failed", detail=detail, now=now)
