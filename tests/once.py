"""What gives the same each time and is none of a test's questions: done once a process.

The product does these seldom (at its start, once a day); tests do them again and again, and each costs more
than all that a test asks about.
"""

import ssl
from collections.abc import Iterable
from functools import cache
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from django.core.signals import setting_changed
from django.test import client
from django.test.signals import root_urlconf_changed
from django.urls import set_urlconf

from bars_portal.http import client_context

_KEY_READERS = (
    "bars_portal.credentials.intake",
    "bars_portal.exchange.transport.auth",
    "bars_portal.simulator.desks.clerks",
    "bars_portal.status.doctor.receiver",
    "bars_portal.status.watched",
)
# What pytest-django puts round every test, and what a test that needs it is known by: a marker, a fixture,
# its class. Most tests need none, and together they cost more than a small test.
_ROUND_EVERY_TEST = {
    "_django_isolate_apps": "django_isolate_apps",
    "_django_set_urlconf": "urls",
    "_template_string_if_invalid_marker": "ignore_template_errors",
    "_django_db_marker": "django_db",
    "_live_server_helper": "live_server",
    "_django_setup_unittest": "cls",
}
_CONTEXT_MAKERS = ("bars_portal.exchange.gateway.tokens", "bars_portal.onboarding.outside")


def leave_out_what_is_not_needed(items: Iterable[pytest.Item]) -> None:
    for item in items:
        if isinstance(item, pytest.Function):
            known = {*item.fixturenames, *(each.name for each in item.iter_markers())}
            known |= {"cls"} if item.cls else set()
            item.fixturenames = [
                each for each in item.fixturenames if _ROUND_EVERY_TEST.get(each, each) in known
            ]


def keep_routes() -> None:
    """Each half of the portal keeps its routes while tests ask one after the other.

    Django forgets all of them whenever ROOT_URLCONF changes, though it keeps them by that very name.
    """
    setting_changed.disconnect(root_urlconf_changed)
    setting_changed.connect(_forget_the_present, dispatch_uid="tests.once")


def _forget_the_present(*, setting: str, **_: object) -> None:
    if setting == "ROOT_URLCONF":
        set_urlconf(None)


def keep_no_fields() -> None:
    """An answer keeps a copy of the context of each template: no test wants those of each field and label."""
    keep = client.store_rendered_templates  # type: ignore[attr-defined]  # the stubs leave it out

    def keep_pages(*args: Any, template: Any, **kwargs: Any) -> None:
        if not str(template.name).startswith("django/forms/"):
            keep(*args, template=template, **kwargs)

    client.store_rendered_templates = keep_pages  # type: ignore[attr-defined]  # the stubs leave it out


def read_keys_once(patch: pytest.MonkeyPatch) -> None:
    """The same bytes are the same key: its primes are proved at the first reading."""
    for module in _KEY_READERS:
        patch.setattr(f"{module}.load_pem_private_key", _read_key)


@cache
def _read_key(data: bytes, password: bytes | None = None) -> PrivateKeyTypes:
    return load_pem_private_key(data, password)


def read_authorities_once(patch: pytest.MonkeyPatch) -> None:
    """Those that the public trusts: some hundred certificates, for whoever presents none of their own."""
    for module in _CONTEXT_MAKERS:
        patch.setattr(f"{module}.client_context", _context)


def _context(*, ca_file: Any, cert_file: Any = None, key_file: Any = None) -> ssl.SSLContext:
    if ca_file is None and cert_file is None:
        return _trusting_the_public()
    return client_context(ca_file=ca_file, cert_file=cert_file, key_file=key_file)


@cache
def _trusting_the_public() -> ssl.SSLContext:
    return client_context(ca_file=None)
