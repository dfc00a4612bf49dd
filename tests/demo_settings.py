"""The demo's settings for a stack that lives for one run: without two things that cost it half a minute."""

from jinja2 import FileSystemBytecodeCache

from bars_portal.settings.demo import *  # noqa: F403 - Django settings are assembled by name
from bars_portal.settings.demo import TEMPLATES
from bars_portal.settings.environment import ROOT

# Django's own takes four tenths of a second on purpose, for each sign-in and each of the demo's people.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
# Where the tests of pages keep theirs: var/ of a stack is new in each run, and every page would be compiled.
_COMPILED = ROOT / "var" / "templates"
_COMPILED.mkdir(parents=True, exist_ok=True)
TEMPLATES[0]["OPTIONS"]["bytecode_cache"] = FileSystemBytecodeCache(str(_COMPILED))
