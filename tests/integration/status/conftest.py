"""A sound installation, to be damaged."""

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.core import checks
from django.utils import timezone

from bars_portal.credentials.local_pki import PkiFiles, ensure_local_pki
from bars_portal.exchange.models import Heartbeat
from bars_portal.status.doctor import partners, sender
from tests.factories.accounts import make_organisation
from tests.factories.directory import make_service
from tests.integration.status.installation import (
    KEY_ID,
    TOKEN,
    World,
    door,
    private_file,
    server_side,
)
from tests.once import read_authorities_once, read_keys_once
from tests.unit.exchange_transport.servers import reply, serving


@pytest.fixture(scope="module")
def local_pki(tmp_path_factory: pytest.TempPathFactory) -> PkiFiles:
    return ensure_local_pki(tmp_path_factory.mktemp("doctor") / "pki", now=datetime.now(UTC))


@pytest.fixture(scope="module")
def django_checks() -> list[Any]:
    """Once: they load every page."""
    return list(checks.run_checks())


@pytest.fixture
def world(
    settings: Any,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    local_pki: PkiFiles,
    django_checks: list[Any],
) -> Iterator[World]:
    pki = PkiFiles(tmp_path / "pki")
    shutil.copytree(local_pki.directory, pki.directory)
    lock = tmp_path / "lock.txt"
    lock.write_text(
        "django>=5 \\\n    --hash=sha256:00\nno-such-thing==1 ; sys_platform == 'amiga'\n# via x\n"
    )
    settings.AUDIT_HEADS_FOLDER = str(tmp_path)
    service = make_service(service_id="2000099000", provider=make_organisation(ods_code="Y00111"))
    Heartbeat.objects.create(name="postroom", seen_at=timezone.now())
    # Small keys are read faster, and four thousand bits are one of the faults.
    monkeypatch.setattr(sender, "_ASKED_BITS", 2048)
    monkeypatch.setattr(checks, "run_checks", lambda: django_checks)
    read_keys_once(monkeypatch)
    read_authorities_once(monkeypatch)
    with serving() as token_server, door(server_side(pki)) as opened:
        token_server.script(reply(body=TOKEN))
        settings.RECEIVER = {
            **settings.RECEIVER,
            "RECEIVER_HOST": "127.0.0.1",
            "RECEIVER_PORT": str(opened.port),
            "RECEIVER_CERT_FILE": str(pki.certificate("receiver")),
            "RECEIVER_KEY_FILE": str(pki.key("receiver")),
            "RECEIVER_CA_FILE": str(pki.ca_chain),
            "RECEIVER_HEALTH_CERT_FILE": str(pki.certificate("proxy-client")),
            "RECEIVER_HEALTH_KEY_FILE": str(pki.key("proxy-client")),
            "RECEIVER_WRONG_NAME_CERT_FILE": str(pki.certificate("wrong-name-client")),
            "RECEIVER_WRONG_NAME_KEY_FILE": str(pki.key("wrong-name-client")),
        }
        made = World(settings, monkeypatch, tmp_path, pki, token_server, opened, service, lock)
        made.bars(
            API_KEY="an-app",
            KEY_ID=KEY_ID,
            PRIVATE_KEY_FILE=private_file(tmp_path / "signing.key", "signing"),
            TOKEN_URL=f"{token_server.url}/oauth2/token",
        )
        monkeypatch.setattr(partners, "get_client", lambda: made.proxy)
        yield made
