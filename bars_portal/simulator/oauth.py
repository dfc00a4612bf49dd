"""POST /oauth2/token: a signed assertion in, an access token out.

Source: testing-and-environments v1.8.1, "Post your JWT to the OAuth endpoint to receive a Token".
"""

import secrets
from dataclasses import replace
from datetime import datetime
from urllib.parse import parse_qs

from bars_portal.simulator.assertions import TokenError, TokenRefused, judge_assertion
from bars_portal.simulator.clients import ClientRegistry
from bars_portal.simulator.config import Clock
from bars_portal.simulator.tokens import TOKEN_LIFE, TokenStore
from bars_portal.simulator.wire import Answer, Request, json_answer

FORM_MEDIA = "application/x-www-form-urlencoded"
GRANT_TYPE = "client_credentials"
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
MOST_FIELDS = 20
# RFC 6749 section 5.1: an answer that holds a token is not cached.
NOT_CACHED = (("Cache-Control", "no-store"), ("Pragma", "no-cache"))


class TokenEndpoint:
    """Answers token requests; `token_url` is the only audience it accepts."""

    def __init__(self, *, registry: ClientRegistry, tokens: TokenStore, token_url: str, clock: Clock) -> None:
        self._registry = registry
        self._tokens = tokens
        self._token_url = token_url
        self._clock = clock

    def answer(self, request: Request) -> Answer:
        """200 with the token, or the failure body with 400, 401 or 405."""
        if request.method != "POST":
            return json_answer(405, _failure("invalid_request", "Only POST is allowed"), ("Allow", "POST"))
        try:
            return self._issue(_assertion_of(request), self._clock())
        except TokenRefused as refusal:
            reason = refusal.reason
            told = json_answer(reason.status, _failure(reason.error, reason.description), *NOT_CACHED)
            # For the journal, which keeps no body of a token request.
            return replace(told, scenario=reason.description)

    def _issue(self, assertion: str, now: datetime) -> Answer:
        judged = judge_assertion(assertion, registry=self._registry, audience=self._token_url, now=now)
        # Claimed last, so that a faulty assertion does not use up its id.
        if not self._tokens.claim_assertion(
            judged.api_key, judged.jti, expires_at=judged.expires_at, now=now
        ):
            raise TokenRefused(TokenError.JTI_REUSED)
        content = {
            "access_token": self._tokens.issue(judged.api_key, now=now),
            "expires_in": str(int(TOKEN_LIFE.total_seconds())),
            "token_type": "Bearer",
            "issued_at": str(int(now.timestamp() * 1000)),
        }
        return json_answer(200, content, *NOT_CACHED)


def _assertion_of(request: Request) -> str:
    """The client_assertion of a well-formed form. Raises TokenRefused."""
    form = _form(request)
    if "grant_type" not in form:
        raise TokenRefused(TokenError.NO_GRANT_TYPE)
    if form["grant_type"] != GRANT_TYPE:
        raise TokenRefused(TokenError.BAD_GRANT_TYPE)
    if form.get("client_assertion_type") != ASSERTION_TYPE:
        raise TokenRefused(TokenError.BAD_ASSERTION_TYPE)
    if not form.get("client_assertion"):
        raise TokenRefused(TokenError.NO_ASSERTION)
    return form["client_assertion"]


def _form(request: Request) -> dict[str, str]:
    if request.header("Content-Type").partition(";")[0].strip().lower() != FORM_MEDIA:
        raise TokenRefused(TokenError.NOT_A_FORM)
    try:
        fields = parse_qs(request.body.decode("ascii"), keep_blank_values=True, max_num_fields=MOST_FIELDS)
    except ValueError as problem:
        raise TokenRefused(TokenError.NOT_A_FORM) from problem
    if any(len(values) > 1 for values in fields.values()):
        raise TokenRefused(TokenError.REPEATED_FIELD)
    return {name: values[0] for name, values in fields.items()}


def _failure(error: str, description: str) -> dict[str, str]:
    return {
        "error": error,
        "error_description": description,
        "message_id": f"rrt-{secrets.randbelow(10**19)}-sim-1",
    }
