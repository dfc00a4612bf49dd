"""One PKI for the session and one server a module: starting them is what takes time."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from bars_portal.credentials.local_pki import PkiFiles, ensure_local_pki
from tests.integration.receiver_server.running import Receiver, running


@pytest.fixture(scope="session")
def pki(tmp_path_factory: pytest.TempPathFactory) -> PkiFiles:
    return ensure_local_pki(tmp_path_factory.mktemp("receiver") / "pki", now=datetime.now(UTC))


@pytest.fixture(scope="module")
def receiver(pki: PkiFiles, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Receiver]:
    with running(pki, tmp_path_factory.mktemp("server")) as server:
        yield server
