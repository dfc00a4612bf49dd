"""Where keys lie: a folder for each organisation and environment, every file of its owner alone."""

import re
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

from bars_portal.credentials.keys import PUBLIC, SECRET, private_folder, read_if_there, write_whole
from bars_portal.onboarding.models import Onboarding

_SAFE = re.compile(r"[A-Za-z0-9.-]{1,80}")


class NoVault(Exception):
    """BARS_CREDENTIALS_FOLDER is not set, so nothing secret can be kept."""


@dataclass(frozen=True)
class Vault:
    """Files of one onboarding. Whatever writes makes the folder first."""

    folder: Path

    @property
    def api_key(self) -> Path:
        return self.folder / "api-key"

    @property
    def receiver_key(self) -> Path:
        return self.folder / "receiver.key"

    @property
    def receiver_certificate(self) -> Path:
        """What the receiver presents: its own, then the intermediates."""
        return self.folder / "receiver.pem"

    @property
    def chain(self) -> Path:
        """Whom the receiver trusts: root and intermediates."""
        return self.folder / "chain.pem"

    @property
    def bundle(self) -> Path:
        return self.folder / "receiver.pfx"

    def signing_key(self, key_id: str) -> Path:
        if not _SAFE.fullmatch(key_id):
            raise ValueError("this is no key id")
        return self.folder / f"{key_id}.key"

    def keep(self, file: Path, content: bytes, *, secret: bool = True) -> None:
        """Whole or not at all; a secret one is readable by its owner only, from its first byte."""
        private_folder(self.folder)
        write_whole(file, content, mode=SECRET if secret else PUBLIC)

    def read(self, file: Path) -> bytes | None:
        return read_if_there(file)


def vault_of(onboarding: Onboarding) -> Vault:
    """Raises NoVault."""
    if not settings.BARS_CREDENTIALS_FOLDER:
        raise NoVault
    place = Path(settings.BARS_CREDENTIALS_FOLDER)
    return Vault(place / onboarding.environment / onboarding.organisation.ods_code)
