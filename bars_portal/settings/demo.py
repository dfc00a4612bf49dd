"""`make demo`: one laptop, no NHS account, never patients. Listens on loopback only."""

from django.core.exceptions import ImproperlyConfigured
from jinja2 import FileSystemBytecodeCache

from bars_portal.credentials.environments import ENVIRONMENTS
from bars_portal.demo import facts
from bars_portal.settings.bars import BARS
from bars_portal.settings.base import *  # noqa: F403 - Django settings are assembled by name
from bars_portal.settings.base import TEMPLATES
from bars_portal.settings.environment import folder

if not ENVIRONMENTS[BARS["ENVIRONMENT"]].is_simulated:
    raise ImproperlyConfigured(
        "Demo settings speak to the simulator only: BARS_ENVIRONMENT must be simulator or simulated-int."
    )

DEBUG = False
# pragma: allowlist nextline secret - production refuses it
SECRET_KEY = "demo-only-not-a-secret-demo-only-not-a-secret-demo-only"
ALLOWED_HOSTS = ["127.0.0.1", "localhost", "[::1]"]
ENVIRONMENT_LABEL = "Demo: not for patients"
DEMO = True
API_WEBHOOKS_TO_LOOPBACK = True
# One login shows it; the others are for a quick look.
SECOND_FACTOR_ROLES = ["installer"]
# Each process would compile every page anew: two seconds of its first minutes.
TEMPLATES[0]["OPTIONS"]["bytecode_cache"] = FileSystemBytecodeCache(str(folder("templates")))
# No collectstatic on a laptop: files are served from where they lie.
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = True
TEST_PATIENTS = facts.TEST_PATIENTS
