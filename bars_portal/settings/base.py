"""What every environment shares. Each integration has a file of its own beside this one."""

from bars_portal import env
from bars_portal.settings.bars import *  # noqa: F403 - Django settings are assembled by name
from bars_portal.settings.bars import BARS, BARS_PROCESS
from bars_portal.settings.celery import *  # noqa: F403 - Django settings are assembled by name
from bars_portal.settings.cis2 import *  # noqa: F403 - Django settings are assembled by name
from bars_portal.settings.logging import LOGGING as LOGGING
from bars_portal.settings.security import *  # noqa: F403 - Django settings are assembled by name

VERSION = "0.1.0"
ENVIRONMENT_LABEL = ""
NHS_NUMBER_POLICY = "real" if BARS["ENVIRONMENT"] == "prod" else "synthetic"

INSTALLED_APPS = [
    "bars_portal.nhsuk",
    "bars_portal.audit",
    "bars_portal.accounts",
    "bars_portal.exchange",
    "bars_portal.patients",
    "directory",
    "bookings",
    "referrals",
    # After the apps above: it gathers what they registered.
    "bars_portal.apps.PortalConfig",
    "bars_portal.apps.PortalAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django_htmx",
    "csp",
    "axes",
]

PORTAL_MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "bars_portal.middleware.CorrelationMiddleware",
    # Outside of all that may answer by itself.
    "bars_portal.middleware.NoStoreMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "bars_portal.accounts.middleware.SessionLimitMiddleware",
    "bars_portal.accounts.middleware.ActingMiddleware",
    "bars_portal.accounts.middleware.KeptFormMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "axes.middleware.AxesMiddleware",
]
# The receiver knows no browsers: no sessions, no CSRF, no redirects of trailing slashes.
RECEIVER_MIDDLEWARE: list[str] = []

IS_RECEIVER = BARS_PROCESS == "receiver"
MIDDLEWARE = RECEIVER_MIDDLEWARE if IS_RECEIVER else PORTAL_MIDDLEWARE
ROOT_URLCONF = "bars_portal.receiver_urls" if IS_RECEIVER else "bars_portal.urls"
APPEND_SLASH = not IS_RECEIVER
WSGI_APPLICATION = "bars_portal.wsgi.application"

DATABASES = {"default": env.database()}
# Every wait is bounded, so that the receiver answers within 5 s (standard section 5): a request as a whole,
# each of its statements, and the wait for a connection, which comes on top when there is no database.
DEADLINE_SECONDS = 4.0
STATEMENT_SECONDS = 3.5 if IS_RECEIVER else 15
_LOCKS = " -c lock_timeout=2000" if IS_RECEIVER else ""
_TIMEOUTS = f"-c statement_timeout={STATEMENT_SECONDS * 1000:.0f}{_LOCKS}"
DATABASES["default"].setdefault("OPTIONS", {})
# Memory and flash find a page anywhere: an index is worth its while more often than on a turning disk.
_PLANNING = "-c random_page_cost=1.1"
DATABASES["default"]["OPTIONS"]["options"] = f"{_TIMEOUTS} {_PLANNING} -c timezone=UTC"
# How often a connection sees a statement of bars_portal.sql before the server keeps its plan. A pooler
# that shares connections between transactions must know prepared statements (PgBouncer from 1.21).
DATABASES["default"]["OPTIONS"]["prepare_threshold"] = 5
# The receiver's connections are open before a rush comes: opening them inside one is what takes long.
_OPEN = 8 if IS_RECEIVER else 1
DATABASES["default"]["OPTIONS"]["pool"] = {
    "min_size": _OPEN,
    "max_size": 20,
    "timeout": 0.9 if IS_RECEIVER else 3,
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.jinja2.Jinja2",
        "DIRS": [env.ROOT / "templates"],
        "APP_DIRS": False,
        "OPTIONS": {
            "environment": "bars_portal.nhsuk.pages.environment",
            "context_processors": [
                "django.contrib.messages.context_processors.messages",
                "bars_portal.nhsuk.pages.portal",
            ],
        },
    },
    {
        # Only the admin speaks Django's template language.
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [env.ROOT / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "bars_portal.nhsuk.pages.portal",
            ],
        },
    },
]

AUTH_USER_MODEL = "accounts.User"
LOGIN_URL = "accounts:sign-in"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "accounts:sign-in"

LANGUAGE_CODE = "en-gb"
TIME_ZONE = "Europe/London"
FORMAT_MODULE_PATH = ["bars_portal.formats"]
USE_TZ = True

STATIC_URL = "static/"
STATIC_ROOT = env.VAR / "static"
STATICFILES_DIRS = [env.ROOT / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}

REST_FRAMEWORK: dict[str, object] = {
    "UNAUTHENTICATED_USER": None,
    "DEFAULT_AUTHENTICATION_CLASSES": [],
    "DEFAULT_PERMISSION_CLASSES": [],
}
