"""From the browser's answer to a person: code for tokens, tokens for claims. Never in a transaction."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from bars_portal.accounts.cis2.attempts import Attempt
from bars_portal.accounts.cis2.config import SCOPE, Cis2Config
from bars_portal.accounts.cis2.fetching import FetchFailed, fetch
from bars_portal.accounts.cis2.person import Person, read_person
from bars_portal.accounts.cis2.provider import Provider, provider_of
from bars_portal.accounts.cis2.refusals import Reason, SignInRefused
from bars_portal.accounts.cis2.tokens import client_assertion, read_id_token

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


@dataclass(frozen=True, repr=False)
class SignedIn:
    """`sid` names the issuer's session, `id_token` is shown to it when we end ours."""

    person: Person
    sid: str
    id_token: str


def authorization_address(config: Cis2Config, attempt: Attempt, *, back_to: str, now: datetime) -> str:
    """Where the browser goes to sign in. Raises SignInRefused."""
    question = {
        "response_type": "code",
        "client_id": config.client_id,
        "redirect_uri": back_to,
        "scope": SCOPE,
        "state": attempt.state,
        "nonce": attempt.nonce,
        "code_challenge": attempt.challenge,
        "code_challenge_method": "S256",
    }
    return f"{_provider(config, now).authorization_endpoint}?{urlencode(question)}"


def end_address(config: Cis2Config, *, id_token: str, back_to: str, now: datetime) -> str:
    """Where the browser goes to end the issuer's session too; "" when that cannot be."""
    try:
        address = provider_of(config.issuer, now=now).end_session_endpoint
    except FetchFailed:
        return ""
    question = {"id_token_hint": id_token, "client_id": config.client_id, "post_logout_redirect_uri": back_to}
    return f"{address}?{urlencode(question)}" if address else ""


def redeem(config: Cis2Config, attempt: Attempt, *, code: str, back_to: str, now: datetime) -> SignedIn:
    """Raises SignInRefused."""
    provider = _provider(config, now)
    tokens = _tokens(config, provider, attempt, code, back_to, now)
    id_token, access_token = str(tokens.get("id_token", "")), str(tokens.get("access_token", ""))
    claims = read_id_token(id_token, config, nonce=attempt.nonce, access_token=access_token, now=now)
    said = _asked(provider.userinfo_endpoint, token=access_token)
    if said.get("sub") != claims["sub"]:
        # Core section 5.3.2: claims of somebody else.
        raise SignInRefused(Reason.BAD_TOKEN)
    return SignedIn(read_person(said), str(claims.get("sid") or ""), id_token)


def _tokens(
    config: Cis2Config, provider: Provider, attempt: Attempt, code: str, back_to: str, now: datetime
) -> Mapping[str, Any]:
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": back_to,
        "code_verifier": attempt.verifier,
        "client_id": config.client_id,
        "client_assertion_type": ASSERTION_TYPE,
        "client_assertion": client_assertion(config, audience=provider.token_endpoint, now=now),
    }
    return _asked(provider.token_endpoint, form=form)


def _provider(config: Cis2Config, now: datetime) -> Provider:
    try:
        return provider_of(config.issuer, now=now)
    except FetchFailed:
        raise SignInRefused(Reason.UNREACHABLE) from None


def _asked(url: str, *, form: Mapping[str, str] | None = None, token: str = "") -> Mapping[str, Any]:
    try:
        return fetch(url, form=form, token=token)
    except FetchFailed:
        raise SignInRefused(Reason.UNREACHABLE) from None
