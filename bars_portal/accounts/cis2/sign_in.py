"""One sign-in: what the browser's session remembers, where it goes, and who comes back."""

from collections.abc import Mapping, MutableMapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from hmac import compare_digest
from typing import Any

from authlib.common.errors import AuthlibBaseError
from authlib.common.security import generate_token
from authlib.common.urls import add_params_to_uri

from bars_portal.accounts.cis2.assurance import read_assurance
from bars_portal.accounts.cis2.issuer import (
    Cis2Config,
    IssuerClient,
    Reason,
    SignInRefused,
    provider_of,
)
from bars_portal.accounts.cis2.tokens import LEEWAY_SECONDS, read_id_token

LIFE = timedelta(minutes=10)
_KEY = "cis2_attempt"
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
