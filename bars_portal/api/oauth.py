"""Access tokens: given at the token endpoint, shown on every request (Bearer, RFC 6750).

The endpoint is OAuth 2 client credentials (RFC 6749), by authlib, with what is ours plugged in: by secret
(Basic or in the form) or by a signed assertion (private_key_jwt, RFC 7523).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from authlib.integrations.django_oauth2 import AuthorizationServer
from authlib.oauth2.rfc6749 import (
    ClientCredentialsGrant,
    InsecureTransportError,
    InvalidClientError,
    OAuth2Error,
)
from authlib.oauth2.rfc6749.util import extract_basic_authorization
from authlib.oauth2.rfc7523.client import JWTBearerClientAssertion
from axes.helpers import get_cool_off
from django.contrib.auth import authenticate
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.debug import sensitive_post_parameters
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from bars_portal.accounts.acting import user_called
from bars_portal.accounts.models import User
from bars_portal.accounts.throttling import SLOWED_SECONDS
from bars_portal.api.callers import Caller, actor_of_application, caller_of_token
from bars_portal.api.models import Application
from bars_portal.api.operations import known_scopes
from bars_portal.api.services import TOKEN_LIFE, digest_of, issue_token, record_refused_token, spend_assertion

ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512"]
# How far ahead an assertion may say that it ends: until then its jti is kept.
LONGEST_ASSERTION_SECONDS = 600
_LONGEST_BODY, _LONGEST_TOKEN = 20_000, 200
_CLIENT_CREDENTIALS = "client_credentials"
_BASIC, _POST, _ASSERTION = "client_secret_basic", "client_secret_post", "client_assertion_jwt"
_BEARER = b"bearer"


@dataclass(frozen=True, repr=False)
class Secret:
    """What somebody shows for the application that they name."""

    text: str


class SecretBackend:
    """`authenticate(request, username=<client id>, secret_shown=Secret(...))`: guesses count as at sign-in.

    Its name is one that Django leaves out of the signal of a failure. Nobody is signed in by it.
    """

    def authenticate(self, request: HttpRequest | None, username: str, secret_shown: Secret) -> User | None:
        found = Application.objects.select_related("account").filter(account__username=username).first()
        if found is None or not found.is_usable(timezone.now()):
            return None
        standing = found.secrets.filter(revoked_at=None, digest=digest_of(secret_shown.text))
        return found.account if standing.exists() else None

    def get_user(self, user_id: int) -> None:
        """No session is of this backend."""


class _Client:
    """An application as authlib asks about it."""

    def __init__(self, application: Application, *methods: str) -> None:
        self.application, self._methods = application, methods

    def get_client_id(self) -> str:
        return self.application.client_id

    def get_allowed_scope(self, scope: str | None) -> str | None:
        """All of its scopes when none are asked for; None, which is refused, when one is not its own."""
        own = [each.value for each in known_scopes(self.application.scopes)]
        wanted = scope.split() if scope else own
        return " ".join(wanted) if set(wanted) <= set(own) else None

    def check_grant_type(self, grant_type: str) -> bool:
        return grant_type == _CLIENT_CREDENTIALS

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        return method in self._methods


class _Grant(ClientCredentialsGrant):  # type: ignore[misc]  # authlib has no types
    TOKEN_ENDPOINT_AUTH_METHODS = [_BASIC, _POST, _ASSERTION]


class _Server(AuthorizationServer):  # type: ignore[misc]  # authlib has no types
    """Tokens are kept as digests, for TOKEN_LIFE."""

    def __init__(self) -> None:
        super().__init__(None, None)
        self.register_grant(_Grant)
        self.register_client_auth_method(_BASIC, _by_basic)
        self.register_client_auth_method(_POST, _by_post)
        self.register_client_auth_method(_ASSERTION, _by_assertion)

    def load_config(self, config: Any) -> None:
        lives = {_CLIENT_CREDENTIALS: int(TOKEN_LIFE.total_seconds())}
        super().load_config({"token_expires_in": lives})

    def query_client(self, client_id: str) -> _Client | None:
        """Of who signs an assertion."""
        if not client_id.isprintable():
            return None
        rows = Application.objects.select_related("account", "organisation")
        found = rows.filter(account__username=client_id).first()
        if found is None or not found.is_usable(timezone.now()) or not found.public_keys:
            return None
        return _Client(found, _ASSERTION)

    def save_token(self, token: dict[str, Any], request: Any) -> None:
        application = request.client.application
        issue_token(
            application=application,
            scopes=token["scope"].split(),
            token=token["access_token"],
            actor=actor_of_application(application),
            now=timezone.now(),
        )


def _by_basic(_query: Any, request: Any) -> _Client | None:
    client_id, secret = _basic(request)
    return _by_secret(request, client_id, secret, _BASIC)


def _basic(request: Any) -> tuple[str | None, str | None]:
    try:
        found: tuple[str | None, str | None] = extract_basic_authorization(request.headers)
    except (UnicodeDecodeError, ValueError):
        return None, None
    return found


def _by_post(_query: Any, request: Any) -> _Client | None:
    return _by_secret(request, request.form.get("client_id"), request.form.get("client_secret"), _POST)


def _by_secret(request: Any, client_id: str | None, secret: str | None, method: str) -> _Client | None:
    """By Django's way, so that guesses are counted and locked as they are at sign-in."""
    if not client_id or not secret or not client_id.isprintable():
        return None
    plain: HttpRequest = request._request
    account = authenticate(plain, username=client_id, secret_shown=Secret(secret))
    if account is None:
        locked = bool(getattr(plain, "axes_locked_out", False))
        record_refused_token(account=user_called(client_id), locked=locked, now=timezone.now())
        raise InvalidClientError(status_code=401, description="The client id or its secret is not right.")
    rows = Application.objects.select_related("account", "organisation")
    return _Client(rows.get(account=account), method)


def _by_assertion(query_client: Any, request: Any) -> Any:
    return _Assertion(request)(query_client, request)


class _Assertion(JWTBearerClientAssertion):  # type: ignore[misc]  # authlib has no types
    """private_key_jwt in one request: for its address, soon over, and taken once."""

    def __init__(self, request: Any) -> None:
        super().__init__()
        self._plain: HttpRequest = request._request
        self._application: Application | None = None

    def get_audiences(self) -> list[str]:
        """This address, with the slash at its end or without."""
        here = self._plain.build_absolute_uri(reverse("api:token")).rstrip("/")
        return [here, f"{here}/"]

    def resolve_client_public_key(self, client: _Client) -> KeySet:
        self._application = client.application
        keys: Any = client.application.public_keys
        return KeySet.import_key_set(keys)

    def process_assertion_claims(self, assertion: str, resolve_key: Any) -> Any:
        try:
            claims = _signed_by_one_of(resolve_key, assertion)
            self.verify_claims(claims)
        except (JoseError, OAuth2Error, ValueError, TypeError):
            # Its own words may quote what was sent.
            account = self._application.account if self._application else None
            record_refused_token(account=account, locked=False, now=timezone.now())
            raise InvalidClientError(
                status_code=401,
                description="The assertion is not signed with a registered key, not for this address, over, "
                "or was used before.",
            ) from None
        return claims

    def validate_jti(self, claims: Any, jti: object) -> bool:
        now, ends = timezone.now(), claims["exp"]
        if not isinstance(jti, str) or not 0 < len(jti) <= 255 or self._application is None:
            return False
        if ends > now.timestamp() + LONGEST_ASSERTION_SECONDS:
            return False
        # The library's own leeway comes on top.
        kept_until = datetime.fromtimestamp(ends + 2 * self.leeway, UTC)
        return spend_assertion(application=self._application, jti=jti, expires_at=kept_until, now=now)


def _signed_by_one_of(keys: KeySet, assertion: str) -> Any:
    """The claims. Whatever kid it names: of a key that was registered as PEM nobody knows ours.

    Raises JoseError, ValueError or TypeError.
    """
    failed: Exception = ValueError("no key")
    for key in keys.keys:
        try:
            return jwt.decode(assertion, key, algorithms=ALGORITHMS).claims
        except (JoseError, ValueError, TypeError) as error:
            failed = error
    raise failed


_server = _Server()


@method_decorator([csrf_exempt, sensitive_post_parameters()], name="dispatch")
class TokenView(View):
    """POST, as a form; the answer is JSON."""

    http_method_names: Sequence[str] = ["post"]

    def post(self, request: HttpRequest) -> HttpResponse:
        announced = request.META.get("CONTENT_LENGTH") or "0"
        if not (announced.isascii() and announced.isdigit()):
            return _refused("invalid_request", "Content-Length must be a number.", 400)
        if int(announced) > _LONGEST_BODY:
            return _refused("invalid_request", "The body is too large.", 413)
        if request.content_type != "application/x-www-form-urlencoded":
            return _refused("invalid_request", "Send application/x-www-form-urlencoded.", 400)
        if "client_secret" in request.GET or "client_assertion" in request.GET:
            return _refused("invalid_request", "Secrets do not belong into an address.", 400)
        try:
            response: HttpResponse = _server.create_token_response(request)
        except InsecureTransportError:
            return _refused("insecure_transport", "Tokens are given over https only.", 400)
        except (UnicodeError, ValueError):
            return _refused("invalid_request", "The request cannot be read.", 400)
        if getattr(request, "axes_locked_out", False):
            return _locked_out(request)
        response["Cache-Control"] = "no-store"
        return response


def _locked_out(request: HttpRequest) -> HttpResponse:
    # Else axes' middleware would show the page for people.
    request.axes_locked_out = False  # type: ignore[attr-defined]  # set by axes
    slowed = bool(getattr(request, "sign_in_slowed", False))
    response = _refused("invalid_client", "Too many failed attempts: see Retry-After.", 429)
    response["Retry-After"] = str(SLOWED_SECONDS if slowed else int(get_cool_off(request).total_seconds()))
    return response


def _refused(error: str, description: str, status: int) -> HttpResponse:
    return JsonResponse({"error": error, "error_description": description}, status=status)


class BearerAuthentication(BaseAuthentication):
    """`request.user` is the application's account, `request.auth` its Caller. No session counts here."""

    def authenticate(self, request: Request) -> tuple[User, Caller] | None:
        scheme, _, token = get_authorization_header(request).partition(b" ")
        if scheme.lower() != _BEARER:
            return None
        found = _caller_by(token.strip())
        if found is None:
            raise AuthenticationFailed("The access token is not valid, or is over. Ask for a new one.")
        # Who refused pages and policies are told of (accounts.middleware.RefusalMiddleware).
        request._request.acting = found.acting  # type: ignore[attr-defined]  # as ActingMiddleware does
        return found.acting.user, found

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="BaRS portal"'


def _caller_by(token: bytes) -> Caller | None:
    if not token.isascii() or not 0 < len(token) <= _LONGEST_TOKEN:
        return None
    return caller_of_token(token.decode("ascii"), now=timezone.now())
