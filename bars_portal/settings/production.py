"""Production: refuses to start on anything unsafe, naming every variable that is wrong."""

from bars_portal.settings.bars import BARS, BARS_PROCESS, BARS_SHARED_CREDENTIALS, BARS_TRUSTED_PROXIES
from bars_portal.settings.base import *  # noqa: F403 - Django settings are assembled by name
from bars_portal.settings.base import FORWARDED_ALLOW_IPS, IS_RECEIVER, STORAGES
from bars_portal.settings.environment import VAR, env
from bars_portal.settings.integrations import AUDIT_HEADS_FOLDER, AUDIT_SIGNING_KEY_FILE, CIS2
from bars_portal.settings.safety import require_safe_production

SECRET_KEY = env.text("DJANGO_SECRET_KEY")
DEBUG = env.flag("DJANGO_DEBUG", default=False)
ALLOWED_HOSTS = env.listing("ALLOWED_HOSTS")
ENVIRONMENT_LABEL = (
    "" if BARS["ENVIRONMENT"] == "prod" else f"{BARS['ENVIRONMENT'].upper()}: not for patients"
)

require_safe_production(
    secret_key=SECRET_KEY,
    debug=DEBUG,
    allowed_hosts=ALLOWED_HOSTS,
    bars=BARS,
    shared_credentials=BARS_SHARED_CREDENTIALS,
    broker_url=env.text("BROKER_URL", ""),
    trusted_proxies=BARS_TRUSTED_PROXIES,
    portal_proxies=FORWARDED_ALLOW_IPS,
    cis2=CIS2,
    audit={"SIGNING_KEY_FILE": AUDIT_SIGNING_KEY_FILE, "HEADS_FOLDER": AUDIT_HEADS_FOLDER},
    process=BARS_PROCESS,
    var=VAR,
)

SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_SSL_REDIRECT = env.flag("SECURE_SSL_REDIRECT", default=not IS_RECEIVER)
SECURE_HSTS_SECONDS = 31_536_000
SECURE_HSTS_INCLUDE_SUBDOMAINS = True
SESSION_COOKIE_SECURE = True
CSRF_COOKIE_SECURE = True
CSRF_TRUSTED_ORIGINS = env.listing("CSRF_TRUSTED_ORIGINS")
STORAGES["staticfiles"] = {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"}
