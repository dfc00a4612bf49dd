"""The simulator in this process, an organisation with its engineer, and a folder for its keys."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

import pytest
from django.test import Client

from bars_portal.accounts.models import Organisation
from bars_portal.accounts.permissions import Role
from bars_portal.simulator.app import create_app
from tests.factories.accounts import confirm, make_organisation, make_user
from tests.factories.certificates import rsa_key
from tests.once import read_authorities_once, read_keys_once
from tests.simulator.conftest import configured
from tests.simulator.support import Recorder


class _Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Says nothing."""


@pytest.fixture
def organisation() -> Organisation:
    return make_organisation(ods_code="RIV01", name="Riverside Health")


@pytest.fixture
def engineer(client: Client, organisation: Organisation) -> Client:
    client.force_login(make_user(role=Role.ENGINEER, organisation=organisation))
    confirm(client)
    return client


@pytest.fixture(autouse=True)
def desks(settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The simulator answers where the settings say; the folder of keys."""
    read_keys_once(monkeypatch)
    read_authorities_once(monkeypatch)
    (tmp_path / "state").mkdir()
    with WSGIServer(("127.0.0.1", 0), _Quiet) as server:
        url = f"http://127.0.0.1:{server.server_port}"
        config = replace(configured(tmp_path / "state", rsa_key("simulator")), public_url=url)
        server.set_app(create_app(config, clock=lambda: datetime.now(UTC), https=Recorder()))
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        settings.BARS_SIMULATOR_URL = url
        settings.BARS_CREDENTIALS_FOLDER = str(tmp_path / "credentials")
        yield tmp_path / "credentials"
        server.shutdown()
        thread.join()
