"""Bearer tokens on requests, and secrets at the token endpoint."""

from dataclasses import dataclass

from django.http import HttpRequest
from django.utils import timezone
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from bars_portal.accounts.models import User
from bars_portal.api.callers import Caller, caller_of_token
from bars_portal.api.models import Application
from bars_portal.api.services import digest_of

_SCHEME = b"bearer"
_LONGEST_TOKEN = 200


class BearerAuthentication(BaseAuthentication):
    """`request.user` is the application's account, `request.auth` its Caller. No session counts here."""

    def authenticate(self, request: Request) -> tuple[User, Caller] | None:
        scheme, _, token = get_authorization_header(request).partition(b" ")
        if scheme.lower() != _SCHEME:
            return None
        found = _found(token.strip())
        if found is None:
            raise AuthenticationFailed("The access token is not valid, or is over. Ask for a new one.")
        # Who refused pages and policies are told of (accounts.middleware.RefusalMiddleware).
        request._request.acting = found.acting  # type: ignore[attr-defined]  # as ActingMiddleware does
        return found.acting.user, found

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="BaRS portal"'


def _found(token: bytes) -> Caller | None:
    if not token.isascii() or not 0 < len(token) <= _LONGEST_TOKEN:
        return None
    return caller_of_token(token.decode("ascii"), now=timezone.now())


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
