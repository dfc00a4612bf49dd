"""Signing in with NHS CIS2: on when an issuer is named, and then everything else must be too."""

from typing import Any
from urllib.parse import urlsplit

from bars_portal.settings.environment import env

_issuer = env.text("CIS2_ISSUER", "")
_default = None if _issuer else ""
CIS2: dict[str, Any] = {
    "ISSUER": _issuer,
    "CLIENT_ID": env.text("CIS2_CLIENT_ID", _default),
    "KEY_ID": env.text("CIS2_KEY_ID", _default),
    "PRIVATE_KEY_FILE": env.text("CIS2_PRIVATE_KEY_FILE", _default),
    # A password alone (level 1) opens no clinical system.
    "ACR_VALUES": env.text("CIS2_ACR_VALUES", "AAL2_OR_AAL3_ANY"),
    "LEAST_AUTHENTICATION_LEVEL": env.whole("CIS2_LEAST_AUTHENTICATION_LEVEL", 2, 2, 3),
    "LEAST_IDENTITY_LEVEL": env.whole("CIS2_LEAST_IDENTITY_LEVEL", 3, 2, 3),
}
_address = urlsplit(_issuer)
# "Sign out" is a form, and its answer leads there.
CIS2_FORM_TARGETS = [f"{_address.scheme}://{_address.netloc}"] if _issuer else []
