"""The tests' settings: as the demo, with a database of their own and cheap passwords."""

import os

from jinja2 import FileSystemBytecodeCache

# Without a server the tests start an embedded one (tests/conftest.py) and fill this in. The workers of a
# parallel run inherit what the first process set.
_NO_SERVER = "postgresql:///tests"
EMBEDDED_DATABASE = os.environ.setdefault("DATABASE_URL", _NO_SERVER) == _NO_SERVER

from bars_portal.settings.bars import BARS  # noqa: E402 - the same
from bars_portal.settings.base import *  # noqa: E402, F403 - the line above must come first
from bars_portal.settings.base import DATABASES, TEMPLATES  # noqa: E402 - the same
from bars_portal.settings.environment import folder  # noqa: E402 - the same

DEBUG = False
# pragma: allowlist nextline secret - production refuses it
SECRET_KEY = "test-only-not-a-secret-test-only-not-a-secret-test-only"
ALLOWED_HOSTS = ["testserver", "127.0.0.1", "localhost"]
ENVIRONMENT_LABEL = "Test: not for patients"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
# pytest-django creates and drops the database: nothing may hold connections to it.
DATABASES["default"]["OPTIONS"].pop("pool", None)
# Each worker would compile every page anew.
TEMPLATES[0]["OPTIONS"]["bytecode_cache"] = FileSystemBytecodeCache(str(folder("templates")))
WHITENOISE_USE_FINDERS = True
# Looks files up as they are asked for, so that no folder has to exist.
WHITENOISE_AUTOREFRESH = True
API_WEBHOOKS_TO_LOOPBACK = True
# Nothing is written behind a test's back.
API_USAGE_SECONDS = 0
# Most tests are about something else; those of the second factor ask for it.
SECOND_FACTOR_ROLES = []
CELERY_BROKER_URL = "memory://"
BROKER_IS_REMOTE = False
CELERY_BROKER_TRANSPORT_OPTIONS = {}
# A machine that runs all tests at once is slow; the tests of the deadline set their own.
DEADLINE_SECONDS = 30.0
BARS |= {"ODS_CODE": "Y00111", "ORGANISATION_NAME": "Northern 111", "SERVICE_ID": "2000099000"}
BARS |= {"API_KEY": "secret", "KEY_ID": "Tests-SIMULATOR-1", "PRIVATE_KEY_FILE": "nowhere.key"}
BARS |= {"SUPPLIER_NAME": "Portal Ltd", "SUPPORT_CONTACT": "0113 496 0000"}
BARS |= {"TRIAGE_TOOL": "Pathways", "TRIAGE_TOOL_VERSION": "30.2.0"}
# No client certificates without TLS: the tests name the peer in the proxy's headers.
BARS_PEER_SOURCE = "proxy"
