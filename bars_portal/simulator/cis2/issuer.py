"""The issuer's endpoints under /cis2 (OpenID Connect Core, Discovery, and both kinds of logout).

Before them its key and what it signs; the applications' assertions that it checks (RFC 7523).
"""

import hashlib
import json
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode

import httpx
import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

from bars_portal.simulator.cis2.registry import (
    CODE_LIFE,
    TOKEN_LIFE,
    Client,
    Grant,
    Memory,
    Registered,
    Registry,
)
from bars_portal.simulator.config import Clock
from bars_portal.simulator.web.pages import render
from bars_portal.simulator.wire import Answer, Request, json_answer

ALGORITHM = "RS256"
TOKEN_SECONDS = 300
LOGOUT_EVENT = "http://schemas.openid.net/event/backchannel-logout"
ASSERTION_ALGORITHMS = ["RS256", "RS384", "RS512", "PS256"]
LONGEST_ASSERTION = timedelta(minutes=5)
_SECONDS = 5.0


class Signer:
    """A new key at each start: who keeps the old one asks for /jwks again."""

    def __init__(self, issuer: str) -> None:
        self._issuer = issuer
        self._key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self._kid = f"simulator-{secrets.token_hex(4)}"

    def jwks(self) -> dict[str, Any]:
        public = json.loads(RSAAlgorithm.to_jwk(self._key.public_key()))
        return {"keys": [{**public, "kid": self._kid, "use": "sig", "alg": ALGORITHM}]}

    def sign(self, claims: Mapping[str, Any], *, audience: str, now: datetime, typ: str = "JWT") -> str:
        """With issuer, audience and times added."""
        issued = int(now.timestamp())
        whole = {"iss": self._issuer, "aud": audience, "iat": issued, "exp": issued + TOKEN_SECONDS, **claims}
        return jwt.encode(whole, self._key, algorithm=ALGORITHM, headers={"kid": self._kid, "typ": typ})

    def logout_token(self, *, sub: str, sid: str, audience: str, now: datetime) -> str:
        claims = {"sub": sub, "sid": sid, "jti": secrets.token_hex(16), "events": {LOGOUT_EVENT: {}}}
        return self.sign(claims, audience=audience, now=now, typ="logout+jwt")

    def audience_of(self, token: str) -> tuple[str, str]:
        """Client id and sid of an id token of ours, however old; ("", "") when it is not."""
        options: Any = {"verify_exp": False, "verify_aud": False}
        try:
            claims = jwt.decode(token, self._key.public_key(), algorithms=[ALGORITHM], options=options)
        except jwt.InvalidTokenError:
            return "", ""
        return str(claims["aud"]), str(claims.get("sid", ""))


def assertion_id(assertion: str, *, client: Client, audiences: frozenset[str], now: datetime) -> str:
    """The jti of a good assertion of the client; "" for any other."""
    try:
        key = client.keys.get(str(jwt.get_unverified_header(assertion).get("kid")))
        if key is None:
            return ""
        claims = jwt.decode(
            assertion,
            key.decode(),
            algorithms=ASSERTION_ALGORITHMS,
            audience=audiences,
            issuer=client.client_id,
            options={"require": ["exp", "iat", "jti", "sub"]},
        )
    except (jwt.InvalidTokenError, ValueError):
        return ""
    too_long = claims["exp"] > (now + LONGEST_ASSERTION).timestamp()
    return "" if too_long or claims["sub"] != client.client_id else str(claims["jti"])


def tell(address: str, logout_token: str) -> str:
    """The status that came back, or "no answer"."""
    try:
        answer = httpx.post(address, data={"logout_token": logout_token}, timeout=_SECONDS, trust_env=False)
    except httpx.HTTPError:
        return "no answer"
    return str(answer.status_code)


PREFIX = "/cis2"
_ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_NOT_CACHED = ("Cache-Control", "no-store")
_MOST_FIELDS = 30
_QUESTION = (
    *("response_type", "client_id", "redirect_uri", "scope", "state", "nonce"),
    *("code_challenge", "code_challenge_method"),
)
# No form-action: from the first page a form leads, by redirect, back to the application.
HEADERS = (
    ("Content-Type", "text/html; charset=utf-8"),
    ("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"),
    ("Cache-Control", "no-store"),
)


class Issuer:
    """Answers what lies under PREFIX."""

    def __init__(self, *, public_url: str, file: Path, clock: Clock) -> None:
        self._url = public_url + PREFIX
        self._registry, self._memory, self._clock = Registry(file), Memory(), clock
        self._signer = Signer(self._url)

    def answer(self, request: Request) -> Answer:
        path, method = request.raw_path.removeprefix(PREFIX), request.method
        match path, method:
            case "/.well-known/openid-configuration", "GET":
                return json_answer(200, self._discovery())
            case "/jwks", "GET":
                return json_answer(200, self._signer.jwks())
            case "/authorize", "GET":
                return self._ask(_fields(request.query))
            case "/authorize", "POST":
                return self._choose(_form(request))
            case "/token", "POST":
                return self._token(_form(request))
            case "/userinfo", "GET" | "POST":
                return self._userinfo(request.header("Authorization").removeprefix("Bearer "))
            case "/logout", "GET" | "POST":
                return self._logout({**_fields(request.query), **_form(request)})
            case "/sessions", "GET":
                return self._sessions()
            case "/sessions", "POST":
                return self._end(_form(request).get("sid", ""))
        return _page("There is no such page", "Check the address.", status=404)

    def _discovery(self) -> Mapping[str, object]:
        ends = {"authorization": "authorize", "token": "token", "userinfo": "userinfo"}
        return {
            "issuer": self._url,
            **{f"{name}_endpoint": f"{self._url}/{path}" for name, path in ends.items()},
            "jwks_uri": f"{self._url}/jwks",
            "end_session_endpoint": f"{self._url}/logout",
            "response_types_supported": ["code"],
            "grant_types_supported": ["authorization_code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": [ALGORITHM],
            "token_endpoint_auth_methods_supported": ["private_key_jwt"],
            "token_endpoint_auth_signing_alg_values_supported": ASSERTION_ALGORITHMS,
            "code_challenge_methods_supported": ["S256"],
            "acr_values_supported": ["AAL1_USERPASS", "AAL2_OR_AAL3_ANY", "AAL3_ANY"],
            "scopes_supported": ["openid", "profile", "nationalrbacaccess", "selectedrole"],
            "backchannel_logout_supported": True,
            "backchannel_logout_session_supported": True,
        }

    def _ask(self, fields: Mapping[str, str]) -> Answer:
        """The page to choose a person and role on; a bad question goes back, unless nobody knows where to."""
        registered = self._registry.read()
        question = {name: fields[name] for name in _QUESTION if name in fields}
        people = list(registered.people.values())
        return _wrong(registered, question) or _rendered("choose", people=people, question=question)

    def _choose(self, fields: Mapping[str, str]) -> Answer:
        """The browser goes back with a code for who was chosen."""
        registered, now = self._registry.read(), self._clock()
        question = {name: fields[name] for name in _QUESTION if name in fields}
        wrong = _wrong(registered, question)
        if wrong is not None:
            return wrong
        sub, _, role_id = fields.get("chosen", "").partition(" ")
        person = registered.people.get(sub)
        if person is None or all(role["person_roleid"] != role_id for role in person.roles):
            return _back(question, error="access_denied")
        session = self._memory.open_session(
            sub=sub, role_id=role_id, client_id=question["client_id"], now=now
        )
        until = now + CODE_LIFE
        grant = Grant(session, question["redirect_uri"], question["nonce"], question["code_challenge"], until)
        return _back(question, code=self._memory.issue_code(grant))

    def _token(self, form: Mapping[str, str]) -> Answer:
        now, client = self._clock(), self._client_of(form)
        if client is None:
            return _failure(401, "invalid_client")
        if form.get("grant_type") != "authorization_code":
            return _failure(400, "unsupported_grant_type")
        grant = self._memory.take_code(form.get("code", ""), now=now)
        if grant is None or not _belongs(grant, client, form):
            return _failure(400, "invalid_grant")
        session, access = grant.session, self._memory.issue_token(grant.session, now=now)
        person = self._registry.read().people.get(session.sub)
        sure = person.authentication_level if person else "0"
        claims = {
            "sub": session.sub,
            "sid": session.sid,
            "nonce": grant.nonce,
            "auth_time": int(session.started_at.timestamp()),
            "at_hash": _half_hash(access),
            "acr": f"AAL{sure}_ANY",
            "authentication_assurance_level": sure,
            "id_assurance_level": person.identity_level if person else "0",
        }
        content = {
            "access_token": access,
            "token_type": "Bearer",
            "expires_in": int(TOKEN_LIFE.total_seconds()),
            "id_token": self._signer.sign(claims, audience=client.client_id, now=now),
        }
        return json_answer(200, content, _NOT_CACHED)

    def _client_of(self, form: Mapping[str, str]) -> Client | None:
        """By private_key_jwt alone; each assertion counts once."""
        client = self._registry.read().clients.get(form.get("client_id", ""))
        if client is None or form.get("client_assertion_type") != _ASSERTION_TYPE:
            return None
        audiences = frozenset({f"{self._url}/token", self._url})
        now = self._clock()
        jti = assertion_id(form.get("client_assertion", ""), client=client, audiences=audiences, now=now)
        return client if jti and self._memory.claim_assertion(jti, now=now) else None

    def _userinfo(self, token: str) -> Answer:
        session = self._memory.session_of_token(token, now=self._clock())
        person = self._registry.read().people.get(session.sub) if session else None
        if session is None or person is None:
            return json_answer(401, {"error": "invalid_token"}, ("WWW-Authenticate", "Bearer"))
        names = {"given_name": person.given_name, "family_name": person.family_name, "name": person.name}
        roles = {"nhsid_nrbac_roles": list(person.roles), "selected_roleid": session.role_id}
        sure = {"idassurancelevel": person.identity_level}
        content = {"sub": person.sub, "nhsid_useruid": person.sub, **names, **roles, **sure}
        return json_answer(200, content, _NOT_CACHED)

    def _logout(self, fields: Mapping[str, str]) -> Answer:
        """Ends the session of the id token; back to a registered address, else a page of our own."""
        client_id, sid = self._signer.audience_of(fields.get("id_token_hint", ""))
        self._memory.end(sid)
        client = self._registry.read().clients.get(client_id)
        back = fields.get("post_logout_redirect_uri", "")
        if client is None or back not in client.post_logout_redirect_uris:
            return _page("You are signed out (mock NHS CIS2)", "You can close this page.")
        state = f"?{urlencode({'state': fields['state']})}" if fields.get("state") else ""
        return Answer(303, (("Location", back + state),))

    def _sessions(self) -> Answer:
        """Ending one here tells the application by back-channel logout."""
        names = {sub: person.name for sub, person in self._registry.read().people.items()}
        return _rendered("sessions", sessions=self._memory.sessions(), names=names)

    def _end(self, sid: str) -> Answer:
        session = self._memory.end(sid)
        client = self._registry.read().clients.get(session.client_id) if session else None
        if session is None or client is None or not client.backchannel_logout_uri:
            return _page("Nothing to end", "That session is over already.", status=404)
        token = self._signer.logout_token(
            sub=session.sub, sid=session.sid, audience=client.client_id, now=self._clock()
        )
        status = tell(client.backchannel_logout_uri, token)
        return _page("The session is ended", f"The application answered: {status}.")


def _wrong(registered: Registered, question: Mapping[str, str]) -> Answer | None:
    client = registered.clients.get(question.get("client_id", ""))
    if client is None or question.get("redirect_uri") not in client.redirect_uris:
        # Never back to an address that nobody has registered.
        return _page("Not registered", "This application or its address is not registered.", status=400)
    if question.get("response_type") != "code":
        return _back(question, error="unsupported_response_type")
    if "openid" not in question.get("scope", "").split():
        return _back(question, error="invalid_scope")
    needed = all(question.get(name) for name in ("state", "nonce", "code_challenge"))
    if not needed or question.get("code_challenge_method") != "S256":
        return _back(question, error="invalid_request")
    return None


def _back(question: Mapping[str, str], **said: str) -> Answer:
    state = {"state": question["state"]} if question.get("state") else {}
    return Answer(303, (("Location", f"{question['redirect_uri']}?{urlencode({**said, **state})}"),))


def _belongs(grant: Grant, client: Client, form: Mapping[str, str]) -> bool:
    """RFC 6749 section 4.1.3 and RFC 7636 section 4.6."""
    same = grant.session.client_id == client.client_id and grant.redirect_uri == form.get("redirect_uri")
    hashed = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
    return same and urlsafe_b64encode(hashed).rstrip(b"=").decode() == grant.challenge


def _half_hash(text: str) -> str:
    return urlsafe_b64encode(hashlib.sha256(text.encode()).digest()[:16]).rstrip(b"=").decode()


def _failure(status: int, error: str) -> Answer:
    return json_answer(status, {"error": error}, _NOT_CACHED)


def _form(request: Request) -> dict[str, str]:
    return _fields(request.body.decode("utf-8", "replace")) if request.method == "POST" else {}


def _fields(encoded: str) -> dict[str, str]:
    """A name that comes twice, or too many of them, counts as none."""
    try:
        pairs = parse_qsl(encoded, keep_blank_values=True, max_num_fields=_MOST_FIELDS)
    except ValueError:
        return {}
    return dict(pairs) if len(dict(pairs)) == len(pairs) else {}


def _page(title: str, sentence: str, *, status: int = 200) -> Answer:
    """A page with one thing to say."""
    return _rendered("said", status=status, title=title, sentence=sentence)


def _rendered(name: str, *, status: int = 200, **values: Any) -> Answer:
    return Answer(status, HEADERS, render(f"cis2/{name}.html", **values))
