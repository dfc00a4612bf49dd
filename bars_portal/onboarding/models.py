"""What is known of each organisation's way into each environment: facts and evidence, never a secret.

Secrets lie in files, in a folder for each organisation and environment, every file of its owner alone.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from django.conf import settings
from django.db import models

from bars_portal.accounts.models import Organisation
from bars_portal.credentials.keys import PUBLIC, SECRET, private_folder, read_if_there, write_whole
from bars_portal.onboarding.steps import RecordState


class Onboarding(models.Model):
    """One organisation in one environment (credentials.environments)."""

    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    environment = models.CharField(max_length=20)
    created_at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        permissions: ClassVar = [("run_desk", "Can lead an organisation through onboarding")]
        constraints: ClassVar = [
            models.UniqueConstraint("organisation", "environment", name="onboarding_one_each")
        ]

    def __str__(self) -> str:
        return f"{self.organisation} in {self.environment}"


class StepRecord(models.Model):
    """How one step ended, or whom it waits for. `basis` is the digest of what it rested on then."""

    onboarding = models.ForeignKey(Onboarding, on_delete=models.CASCADE, related_name="records")
    step = models.CharField(max_length=20)
    state = models.CharField(max_length=10, choices=[(each.value, each.value) for each in RecordState])
    at = models.DateTimeField()
    by = models.CharField(max_length=150)
    # Public facts: names, fingerprints, addresses, counts.
    evidence = models.JSONField(default=dict)
    words = models.CharField(max_length=500, blank=True)
    basis = models.CharField(max_length=64, blank=True)
    expires_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        default_permissions = ()
        constraints: ClassVar = [
            models.UniqueConstraint("onboarding", "step", name="onboarding_record_of_each_step")
        ]

    def __str__(self) -> str:
        return f"{self.step}: {self.state}"


class SigningKey(models.Model):
    """The public half of a key that signs for tokens; the private one is a file. A rotation has two."""

    onboarding = models.ForeignKey(Onboarding, on_delete=models.CASCADE, related_name="keys")
    key_id = models.CharField(max_length=60)
    public_pem = models.TextField()
    made_at = models.DateTimeField()
    # From then on it is no longer in the key set.
    withdrawn_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        default_permissions = ()
        ordering: ClassVar = ["pk"]
        constraints: ClassVar = [
            models.UniqueConstraint("onboarding", "key_id", name="onboarding_key_id_once")
        ]

    def __str__(self) -> str:
        return self.key_id


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
