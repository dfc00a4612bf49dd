"""Reads: how an organisation's onboarding stands, and the key set that anybody may read."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from bars_portal.accounts.models import Organisation
from bars_portal.credentials.environments import environment
from bars_portal.credentials.keys import key_set
from bars_portal.onboarding.models import Onboarding, SigningKey, StepRecord
from bars_portal.onboarding.steps import Standing, StepName, standings


def onboarding_of(organisation: Organisation, name: str) -> Onboarding | None:
    found = Onboarding.objects.filter(organisation=organisation, environment=name)
    return found.select_related("organisation").first()


def records_of(onboarding: Onboarding | None) -> dict[str, StepRecord]:
    if onboarding is None:
        return {}
    return {each.step: each for each in StepRecord.objects.filter(onboarding=onboarding)}


def standings_of(organisation: Organisation, name: str, *, now: datetime) -> Mapping[StepName, Standing]:
    """Of every step, also where nobody has begun. Raises KeyError for an unknown environment."""
    return standings(environment(name), records_of(onboarding_of(organisation, name)), now=now)


def current_key(onboarding: Onboarding) -> SigningKey | None:
    """The newest that was not withdrawn."""
    return SigningKey.objects.filter(onboarding=onboarding, withdrawn_at=None).order_by("-pk").first()


def keys_of(onboarding: Onboarding) -> list[SigningKey]:
    """Those in the key set, oldest first."""
    return list(SigningKey.objects.filter(onboarding=onboarding, withdrawn_at=None))


def public_keys(ods_code: str, name: str) -> dict[str, Any]:
    """The JSON Web Key Set of an organisation; an empty one for what is not known."""
    found = SigningKey.objects.filter(
        onboarding__organisation__ods_code=ods_code, onboarding__environment=name, withdrawn_at=None
    )
    keys = {each.key_id: load_pem_public_key(each.public_pem.encode()) for each in found}
    return key_set({key_id: key for key_id, key in keys.items() if isinstance(key, RSAPublicKey)})
