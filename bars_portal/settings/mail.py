"""Mail to staff: on when a server is named (Django's own settings)."""

from bars_portal.settings.environment import env

EMAIL_HOST = env.text("EMAIL_HOST", "")
EMAIL_PORT = env.port("EMAIL_PORT", 587)
EMAIL_USE_TLS = env.flag("EMAIL_USE_TLS", default=True)
EMAIL_HOST_USER = env.text("EMAIL_HOST_USER", "")
EMAIL_HOST_PASSWORD = env.text("EMAIL_HOST_PASSWORD", "")
# A page may wait for it.
EMAIL_TIMEOUT = 5
DEFAULT_FROM_EMAIL = env.text("DEFAULT_FROM_EMAIL", "bars-portal@localhost")
EMAIL_SUBJECT_PREFIX = ""
