"""One sign-in: where the browser goes, who comes back, may they come in, and how it ends here and there."""

from collections.abc import Mapping, MutableMapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from hmac import compare_digest
from importlib import import_module
from typing import Any

from authlib.common.errors import AuthlibBaseError
from authlib.common.security import generate_token
from authlib.common.urls import add_params_to_uri
from django.conf import settings
from django.contrib.sessions.backends.base import SessionBase
from django.db import transaction
from django.db.models import Q

from bars_portal.accounts.acting import UNKNOWN, memberships_of
from bars_portal.accounts.cis2.issuer import (
    Cis2Config,
    IssuerClient,
    Reason,
    SignInRefused,
    configured,
    provider_of,
)
from bars_portal.accounts.cis2.tokens import LEEWAY_SECONDS, Ended, read_assurance, read_id_token
from bars_portal.accounts.models import Cis2Identity, Cis2Session, User
from bars_portal.accounts.services import record_sign_out
from bars_portal.audit.services import record

LIFE = timedelta(minutes=10)
_KEY = "cis2_attempt"
# What the session of somebody who signed in there holds.
ID_TOKEN = "cis2_id_token"  # noqa: S105 - the name of a key
_LENGTH = 43


@dataclass(frozen=True)
class Attempt:
    """`state` ties the answer to the browser, `nonce` the token to the question; `verifier` is of PKCE."""

    state: str
    nonce: str
    verifier: str
    next_page: str
    started_at: float
    # The primary key of who is signed in here and confirms that it is them; None: somebody comes in.
    again_for: int | None = None


def begin(
    session: MutableMapping[str, Any], *, next_page: str, now: datetime, again_for: int | None = None
) -> Attempt:
    """A second one takes the place of the first."""
    state, nonce, verifier = (generate_token(_LENGTH) for _ in range(3))
    attempt = Attempt(state, nonce, verifier, next_page, now.timestamp(), again_for)
    session[_KEY] = asdict(attempt)
    return attempt


def take(session: MutableMapping[str, Any], *, state: str, now: datetime) -> Attempt:
    """The attempt that this answer belongs to; it is used up, whatever comes of it. Raises SignInRefused."""
    held = session.pop(_KEY, None)
    if held is None:
        raise SignInRefused(Reason.STALE)
    attempt = Attempt(**held)
    is_old = now.timestamp() - attempt.started_at >= LIFE.total_seconds()
    if is_old or not compare_digest(attempt.state.encode(), state.encode()):
        raise SignInRefused(Reason.STALE)
    return attempt


@dataclass(frozen=True)
class Cis2Role:
    """One entry of `nhsid_nrbac_roles`: a role profile in one organisation."""

    profile_id: str
    ods_code: str
    name: str


@dataclass(frozen=True)
class Person:
    """`subject` is the CIS2 user id; `roles` only the selected one, when one was selected."""

    subject: str
    roles: tuple[Cis2Role, ...]

    @property
    def ods_codes(self) -> frozenset[str]:
        return frozenset(role.ods_code for role in self.roles)


def check_signed_in_anew(claims: Mapping[str, Any], attempt: Attempt) -> None:
    """What was asked for is checked by "auth_time", which then must be there. Raises SignInRefused."""
    if attempt.again_for is None:
        return
    signed_in_at = claims.get("auth_time")
    if not isinstance(signed_in_at, int) or signed_in_at < attempt.started_at - LEEWAY_SECONDS:
        raise SignInRefused(Reason.NOT_AGAIN)


def read_person(claims: Mapping[str, Any]) -> Person:
    """Anything that is not as CIS2 describes it counts as not said."""
    listed = claims.get("nhsid_nrbac_roles")
    roles = tuple(map(_role, filter(_is_role, listed))) if isinstance(listed, list) else ()
    selected = claims.get("selected_roleid")
    if selected:
        roles = tuple(role for role in roles if role.profile_id == selected)
    return Person(_text(claims.get("sub")), roles)


def _is_role(entry: object) -> bool:
    return isinstance(entry, dict) and bool(_text(entry.get("org_code")))


def _role(entry: Mapping[str, Any]) -> Cis2Role:
    return Cis2Role(
        _text(entry.get("person_roleid")), _text(entry["org_code"]).upper(), _text(entry.get("role_name"))
    )


def _text(value: object) -> str:
    return value.strip() if isinstance(value, str) else ""


@dataclass(frozen=True, repr=False)
class SignedIn:
    """`sid` names the issuer's session, `id_token` is shown to it when we end ours."""

    person: Person
    sid: str
    id_token: str


# Core section 3.1.2.1: a session that they have there already is not enough.
_ANEW = {"prompt": "login", "max_age": "0"}


def authorization_address(config: Cis2Config, attempt: Attempt, *, back_to: str, now: datetime) -> str:
    """Where the browser goes to sign in; the verifier goes as its challenge (PKCE). Raises SignInRefused."""
    address, _ = IssuerClient(config.client_id).create_authorization_url(
        provider_of(config.issuer, now=now).authorization_endpoint,
        state=attempt.state,
        code_verifier=attempt.verifier,
        nonce=attempt.nonce,
        redirect_uri=back_to,
        acr_values=config.acr_values,
        **({} if attempt.again_for is None else _ANEW),
    )
    return str(address)


def end_address(config: Cis2Config, *, id_token: str, back_to: str, now: datetime) -> str:
    """Where the browser goes to end the issuer's session too; "" when that cannot be."""
    try:
        address = provider_of(config.issuer, now=now).end_session_endpoint
    except SignInRefused:
        return ""
    question = {"id_token_hint": id_token, "client_id": config.client_id, "post_logout_redirect_uri": back_to}
    return str(add_params_to_uri(address, question.items())) if address else ""


def redeem(config: Cis2Config, attempt: Attempt, *, code: str, back_to: str, now: datetime) -> SignedIn:
    """Code for tokens, tokens for claims; never in a transaction. Raises SignInRefused."""
    provider = provider_of(config.issuer, now=now)
    with config.client(provider.token_endpoint, now=now) as client:
        try:
            tokens = client.fetch_token(
                provider.token_endpoint,
                grant_type="authorization_code",
                code=code,
                redirect_uri=back_to,
                code_verifier=attempt.verifier,
                client_id=config.client_id,
            )
            id_token, access_token = str(tokens.get("id_token", "")), str(tokens.get("access_token", ""))
            claims = read_id_token(id_token, config, nonce=attempt.nonce, access_token=access_token, now=now)
            check_signed_in_anew(claims, attempt)
            said = client.get(provider.userinfo_endpoint).json()
        except (AuthlibBaseError, ValueError, TypeError):
            raise SignInRefused(Reason.BAD_TOKEN) from None
    if said.get("sub") != claims["sub"]:
        # Core section 5.3.2: claims of somebody else.
        raise SignInRefused(Reason.BAD_TOKEN)
    # Asking for a way to sign in is a wish (Core section 3.1.2.1): what it was is checked.
    if not read_assurance(claims, said).reaches(
        authentication=config.least_authentication, identity=config.least_identity
    ):
        raise SignInRefused(Reason.LOW_ASSURANCE)
    return SignedIn(read_person(said), str(claims.get("sid") or ""), id_token)


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
