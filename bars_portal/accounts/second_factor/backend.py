"""Django's way to ask for a second factor: the same counting and locking as for passwords."""

from django.http import HttpRequest

from bars_portal.accounts.acting import user_called
from bars_portal.accounts.models import User
from bars_portal.accounts.second_factor.services import Proof, prove


class SecondFactorBackend:
    """`authenticate(request, username=..., secret_proof=Proof(...))`.

    Its name is one that Django leaves out of the signal of a failure. Nobody is signed in by it alone.
    """

    def authenticate(self, request: HttpRequest | None, username: str, secret_proof: Proof) -> User | None:
        user = user_called(username)
        return user if user is not None and user.is_active and prove(user, secret_proof) else None

    def get_user(self, user_id: int) -> None:
        """No session is of this backend."""
