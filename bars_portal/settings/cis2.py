"""Signing in with NHS CIS2: on when an issuer is named, and then everything else must be too."""

from urllib.parse import urlsplit

from bars_portal.settings.environment import env

_issuer = env.text("CIS2_ISSUER", "")
_default = None if _issuer else ""
CIS2 = {
    "ISSUER": _issuer,
    "CLIENT_ID": env.text("CIS2_CLIENT_ID", _default),
    "KEY_ID": env.text("CIS2_KEY_ID", _default),
    "PRIVATE_KEY_FILE": env.text("CIS2_PRIVATE_KEY_FILE", _default),
}
_address = urlsplit(_issuer)
# "Sign out" is a form, and its answer leads there.
CIS2_FORM_TARGETS = [f"{_address.scheme}://{_address.netloc}"] if _issuer else []
