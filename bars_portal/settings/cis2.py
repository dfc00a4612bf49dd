"""Signing in with NHS CIS2: on when an issuer is named, and then everything else must be too."""

from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

from bars_portal import env
from bars_portal.settings.security import FORM_TARGETS

CIS2 = {
    "ISSUER": env.text("CIS2_ISSUER", ""),
    "CLIENT_ID": env.text("CIS2_CLIENT_ID", ""),
    "KEY_ID": env.text("CIS2_KEY_ID", ""),
    "PRIVATE_KEY_FILE": env.text("CIS2_PRIVATE_KEY_FILE", ""),
}

if CIS2["ISSUER"]:
    for _name, _value in CIS2.items():
        if not _value:
            raise ImproperlyConfigured(f"CIS2_ISSUER is set, so CIS2_{_name} must be set too.")
    _address = urlsplit(CIS2["ISSUER"])
    # "Sign out" is a form, and its answer leads there.
    FORM_TARGETS.append(f"{_address.scheme}://{_address.netloc}")
