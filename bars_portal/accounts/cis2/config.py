"""Who we are to NHS CIS2, from settings.CIS2; without an issuer it is switched off."""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from django.conf import settings
from joserfc.jwk import RSAKey

SCOPE = "openid profile nationalrbacaccess selectedrole"


@dataclass(frozen=True)
class Cis2Config:
    """`issuer` is compared byte for byte with what the issuer says of itself."""

    issuer: str
    client_id: str
    key_id: str
    private_key_file: str

    def private_key(self) -> RSAKey:
        """Raises OSError, and ValueError when it is no RSA key in PEM."""
        return _key(self.private_key_file)


def configured() -> Cis2Config | None:
    """None: people sign in with a password only."""
    given = settings.CIS2
    if not given["ISSUER"]:
        return None
    return Cis2Config(given["ISSUER"], given["CLIENT_ID"], given["KEY_ID"], given["PRIVATE_KEY_FILE"])


@lru_cache(maxsize=2)
def _key(path: str) -> RSAKey:
    # Parsing a key is dear, and it changes with a restart only.
    return RSAKey.import_key(Path(path).read_text())
