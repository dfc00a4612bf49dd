"""What the demo puts on disk: the contract's files, and nothing new at the second start."""

import json
import subprocess
from pathlib import Path

import pytest

from bars_portal.credentials.local_pki import SenderCredentials, ensure_sender_credentials
from bars_portal.demo import facts, setup
from bars_portal.demo.setup import Ports

PORTS = Ports(portal=8000, receiver=8443, receiver_health=8444, simulator=8010)


@pytest.fixture
def credentials(tmp_path: Path) -> SenderCredentials:
    # The demo's own has 4096 bits, which takes seconds.
    return ensure_sender_credentials(tmp_path / "keys", key_id=facts.KEY_ID, bits=2048)


def write(var: Path, credentials: SenderCredentials, ports: Ports = PORTS) -> None:
    environment = setup.portal_environment(var, ports, credentials, "postgresql:///demo")
    setup.write_simulator_files(var, ports, credentials)
    setup.write_demo_env(var, environment)


def state(var: Path) -> dict[Path, tuple[bytes, int]]:
    return {each: (each.read_bytes(), each.stat().st_mtime_ns) for each in var.rglob("*") if each.is_file()}


def test_a_second_start_changes_no_file(tmp_path: Path, credentials: SenderCredentials) -> None:
    write(tmp_path, credentials)
    before = state(tmp_path)
    write(tmp_path, ensure_sender_credentials(tmp_path / "keys", key_id=facts.KEY_ID, bits=2048))
    assert state(tmp_path) == before
    assert {each.name for each in before} >= {"demo.env", "clients.json", "catalogue.json", "api-key"}


def test_another_port_changes_only_the_catalogue(tmp_path: Path, credentials: SenderCredentials) -> None:
    write(tmp_path, credentials)
    before = state(tmp_path)
    write(tmp_path, credentials, Ports(8000, 9443, 9444, 8010))
    changed = {each.name for each, content in state(tmp_path).items() if content != before[each]}
    assert changed == {"catalogue.json"}


def test_the_catalogue_routes_every_service(tmp_path: Path, credentials: SenderCredentials) -> None:
    write(tmp_path, credentials)
    catalogue = json.loads((tmp_path / "simulator" / "catalogue.json").read_text())
    routes = catalogue["NHSD-Target-Identifier"]["https://fhir.nhs.uk/Id/dos-service-id"]
    assert set(routes) == {each.service_id for each in facts.SERVICES}
    assert routes["2000099001"] == "https://localhost:8443/FHIR/R4"
    assert routes["2000072489"] == "simulator:tkw"


def test_an_outside_client_finds_its_credentials(tmp_path: Path, credentials: SenderCredentials) -> None:
    write(tmp_path, credentials)
    lines = dict(line.split("=", 1) for line in (tmp_path / "demo.env").read_text().splitlines())
    assert lines["BARS_API_KEY"] == credentials.api_key
    assert Path(lines["BARS_PRIVATE_KEY_FILE"]).exists()
    assert (tmp_path / "demo.env").stat().st_mode & 0o077 == 0
    clients = json.loads((tmp_path / "simulator" / "clients.json").read_text())
    key = tmp_path / "simulator" / clients[credentials.api_key][facts.KEY_ID]
    assert key.read_text().startswith("-----BEGIN PUBLIC KEY-----")


def test_a_shell_reads_the_whole_environment_back(tmp_path: Path) -> None:
    given = {"DATABASE_URL": "postgresql://me@/demo?host=/a folder/it's", "BARS_API_KEY": "key"}
    setup.write_manage_env(tmp_path, given)
    file = tmp_path / "manage.env"
    script = 'set -a; . "$1"; printf "%s\n%s" "$DATABASE_URL" "$BARS_API_KEY"'
    said = subprocess.run(["sh", "-c", script, "sh", str(file)], capture_output=True, text=True, check=True)
    assert said.stdout.split("\n") == list(given.values())
    assert file.stat().st_mode & 0o077 == 0


def test_the_facts_are_those_of_the_contract() -> None:
    published = {"clinician", "clerk", "manager", "engineer", "auditor", "installer"}
    # Somebody at the hosting side answers what its services receive.
    assert {each.username for each in facts.USERS} == published | {"assessor"}
    hosted = {each.service_id for each in facts.SERVICES if each.hosted and each.takes_bookings}
    assert hosted == {f"200009900{number}" for number in range(1, 6)} | {"2000099999"}
    assert facts.SLOT_DAYS == 21, "today and 20 days on"
    assert len(facts.TEST_PATIENTS) == 17
