"""What the demo needs on disk: keys, certificates, the simulator's files, the environment. Idempotent."""

import json
import os
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from shlex import quote

from bars_portal.credentials.local_pki import PkiFiles, ensure_local_pki
from bars_portal.credentials.sender_credentials import SenderCredentials, ensure_sender_credentials
from bars_portal.demo import facts
from bars_portal.demo.cis2 import cis2_registration
from bars_portal.demo.ports import Ports

_SERVICE_SYSTEM = "https://fhir.nhs.uk/Id/dos-service-id"


def ensure_pki(var: Path) -> PkiFiles:
    return ensure_local_pki(var / "pki", now=datetime.now(UTC))


def ensure_credentials(var: Path) -> SenderCredentials:
    return ensure_sender_credentials(var / "keys", key_id=facts.KEY_ID)


def portal_environment(
    var: Path, ports: Ports, credentials: SenderCredentials, database_url: str
) -> dict[str, str]:
    """The environment that portal, receiver and worker share."""
    return {
        "DJANGO_SETTINGS_MODULE": "bars_portal.settings.demo",
        "BARS_VAR": str(var),
        "DATABASE_URL": database_url,
        "BARS_ENVIRONMENT": "simulator",
        "BARS_SIMULATOR_URL": f"http://127.0.0.1:{ports.simulator}",
        "BARS_API_KEY": credentials.api_key,
        "BARS_KEY_ID": credentials.key_id,
        "BARS_PRIVATE_KEY_FILE": str(credentials.private_key_file),
        "BARS_ODS_CODE": facts.SENDER_ODS,
        "BARS_ORGANISATION_NAME": facts.SENDER_NAME,
        "BARS_SERVICE_ID": facts.REPLY_SERVICE_ID,
        "CIS2_ISSUER": f"http://127.0.0.1:{ports.simulator}/cis2",
        "CIS2_CLIENT_ID": facts.CIS2_CLIENT_ID,
        "CIS2_KEY_ID": credentials.key_id,
        "CIS2_PRIVATE_KEY_FILE": str(credentials.private_key_file),
    }


def receiver_environment(ports: Ports, pki: PkiFiles) -> dict[str, str]:
    return {
        "BARS_PROCESS": "receiver",
        "RECEIVER_PORT": str(ports.receiver),
        "RECEIVER_HEALTH_PORT": str(ports.receiver_health),
        "RECEIVER_CERT_FILE": str(pki.certificate("receiver")),
        "RECEIVER_KEY_FILE": str(pki.key("receiver")),
        "RECEIVER_CA_FILE": str(pki.ca_chain),
        "RECEIVER_HEALTH_CERT_FILE": str(pki.certificate("proxy-client")),
        "RECEIVER_HEALTH_KEY_FILE": str(pki.key("proxy-client")),
    }


def simulator_arguments(var: Path, ports: Ports, pki: PkiFiles) -> list[str]:
    folder = var / "simulator"
    return [
        *("--port", str(ports.simulator)),
        *("--state", str(folder)),
        *("--ca", str(pki.ca_chain)),
        *("--client-cert", str(pki.certificate("proxy-client"))),
        *("--client-key", str(pki.key("proxy-client"))),
        *("--ca-key", str(pki.ca_key)),
        *("--clients", str(folder / "clients.json")),
        *("--catalogue", str(folder / "catalogue.json")),
    ]


def write_simulator_files(var: Path, ports: Ports, credentials: SenderCredentials) -> None:
    """The registered public key, and the endpoint catalogue as the live proxy reads it."""
    folder = var / "simulator"
    folder.mkdir(parents=True, exist_ok=True)
    key = os.path.relpath(credentials.public_key_file, folder)
    _write(folder / "clients.json", {credentials.api_key: {credentials.key_id: key}})
    ours = f"https://localhost:{ports.receiver}/FHIR/R4"
    routes = {s.service_id: ours if s.hosted else "simulator:tkw" for s in facts.SERVICES}
    _write(folder / "catalogue.json", {"NHSD-Target-Identifier": {_SERVICE_SYSTEM: routes}})
    _write(folder / "cis2.json", cis2_registration(ports, keys={credentials.key_id: key}))


def write_demo_env(var: Path, environment: Mapping[str, str]) -> None:
    """The sender's credentials, for other clients on this machine (operations contract)."""
    names = ("BARS_API_KEY", "BARS_KEY_ID", "BARS_PRIVATE_KEY_FILE", "BARS_ODS_CODE", "BARS_SERVICE_ID")
    _write_secret(var / "demo.env", "".join(f"{name}={environment[name]}\n" for name in names))


def write_manage_env(var: Path, environment: Mapping[str, str]) -> None:
    """The whole shared environment for `manage.py` beside the running demo, to be read by a shell."""
    lines = "".join(f"{name}={quote(value)}\n" for name, value in environment.items())
    _write_secret(var / "manage.env", lines)


def _write_secret(file: Path, lines: str) -> None:
    if not file.exists() or file.read_text() != lines:
        file.touch(mode=0o600)
        file.write_text(lines)


def _write(file: Path, content: object) -> None:
    text = json.dumps(content, indent=2) + "\n"
    if not file.exists() or file.read_text() != text:
        file.write_text(text)
