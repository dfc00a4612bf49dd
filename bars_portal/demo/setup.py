"""What the demo needs before it starts: ports, keys, the simulator's files, the environment. Idempotent."""

import json
import os
import secrets
import socket
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from shlex import quote
from typing import Any

from bars_portal.credentials.keys import ensure_audit_key
from bars_portal.credentials.local_pki import (
    PkiFiles,
    SenderCredentials,
    ensure_local_pki,
    ensure_sender_credentials,
)
from bars_portal.demo import facts
from bars_portal.metrics.serving import port_of
from bars_portal.settings.environment import env

_SERVICE_SYSTEM = "https://fhir.nhs.uk/Id/dos-service-id"
# What the mock CIS2 issuer calls the roles.
_ROLES = {
    "clinician": ("R8000", "Clinical Practitioner Access Role"),
    "clerk": ("R8010", "Clerical Access Role"),
    "manager": ("R8006", "Admin/Clinical Support Access Role"),
    "engineer": ("R8015", "Systems Support Access Role"),
    "auditor": ("R8008", "Privacy Officer Access Role"),
    "installer": ("R8015", "Systems Support Access Role"),
}


class PortTaken(Exception):
    """Another program listens there; the text names the port and the variable to change."""


@dataclass(frozen=True)
class Ports:
    portal: int
    receiver: int
    receiver_health: int
    simulator: int
    # Figures for Prometheus; 0: not shown.
    portal_metrics: int = 0
    receiver_metrics: int = 0
    worker_metrics: int = 0

    @classmethod
    def read(cls) -> "Ports":
        """Raises ImproperlyConfigured."""
        receiver = env.port("RECEIVER_PORT", 8443)
        return cls(
            portal=env.port("PORTAL_PORT", 8000),
            receiver=receiver,
            receiver_health=env.port("RECEIVER_HEALTH_PORT", receiver + 1),
            simulator=env.port("SIMULATOR_PORT", 8010),
            portal_metrics=port_of("portal"),
            receiver_metrics=port_of("receiver"),
            worker_metrics=port_of("worker"),
        )

    def require_free(self) -> None:
        """Raises PortTaken."""
        for name, port in vars(self).items():
            if not port:
                continue
            with socket.socket() as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                try:
                    probe.bind(("127.0.0.1", port))
                except OSError:
                    variable = f"{name.upper()}_PORT"
                    raise PortTaken(f"Port {port} is taken: set {variable} to another one.") from None


def ensure_pki(var: Path) -> PkiFiles:
    return ensure_local_pki(var / "pki", now=datetime.now(UTC))


def ensure_credentials(var: Path) -> SenderCredentials:
    return ensure_sender_credentials(var / "keys", key_id=facts.KEY_ID)


def portal_environment(
    var: Path, ports: Ports, credentials: SenderCredentials, database_url: str
) -> dict[str, str]:
    """The environment that portal, receiver and worker share."""
    pki = PkiFiles(var / "pki")
    return {
        "DJANGO_SETTINGS_MODULE": "bars_portal.settings.demo",
        "BARS_VAR": str(var),
        "LOG_FORMAT": "lines",
        "DATABASE_URL": database_url,
        "BARS_ENVIRONMENT": "simulator",
        "BARS_SIMULATOR_URL": f"http://127.0.0.1:{ports.simulator}",
        "BARS_API_KEY": credentials.api_key,
        "BARS_KEY_ID": credentials.key_id,
        "BARS_PRIVATE_KEY_FILE": str(credentials.private_key_file),
        "BARS_ODS_CODE": facts.SENDER_ODS,
        "BARS_ORGANISATION_NAME": facts.SENDER_NAME,
        "BARS_SERVICE_ID": facts.REPLY_SERVICE_ID,
        "BARS_SUPPLIER_NAME": facts.SUPPLIER_NAME,
        "BARS_SUPPORT_CONTACT": facts.SUPPORT_CONTACT,
        "BARS_TRIAGE_TOOL": "Pathways",
        "BARS_TRIAGE_TOOL_VERSION": "30.2.0",
        "CIS2_ISSUER": f"http://127.0.0.1:{ports.simulator}/cis2",
        "CIS2_CLIENT_ID": facts.CIS2_CLIENT_ID,
        "CIS2_KEY_ID": credentials.key_id,
        "CIS2_PRIVATE_KEY_FILE": str(credentials.private_key_file),
        "AUDIT_SIGNING_KEY_FILE": str(ensure_audit_key(var / "keys")),
        "AUDIT_HEADS_FOLDER": str(var / "audit-heads"),
        **receiver_environment(ports, pki),
    }


def receiver_environment(ports: Ports, pki: PkiFiles) -> dict[str, str]:
    """Portal and worker are told too: they watch what the receiver shows."""
    return {
        "RECEIVER_PORT": str(ports.receiver),
        "RECEIVER_HEALTH_PORT": str(ports.receiver_health),
        "RECEIVER_CERT_FILE": str(pki.certificate("receiver")),
        "RECEIVER_KEY_FILE": str(pki.key("receiver")),
        "RECEIVER_CA_FILE": str(pki.ca_chain),
        "RECEIVER_HEALTH_CERT_FILE": str(pki.certificate("proxy-client")),
        "RECEIVER_HEALTH_KEY_FILE": str(pki.key("proxy-client")),
        "RECEIVER_WRONG_NAME_CERT_FILE": str(pki.certificate("wrong-name-client")),
        "RECEIVER_WRONG_NAME_KEY_FILE": str(pki.key("wrong-name-client")),
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
    _write(folder / "cis2.json", _cis2_registration(ports, keys={credentials.key_id: key}))


def write_demo_env(var: Path, environment: Mapping[str, str]) -> None:
    """For other clients on this machine (operations contract): the sender's credentials, and our API's."""
    names = ("BARS_API_KEY", "BARS_KEY_ID", "BARS_PRIVATE_KEY_FILE", "BARS_ODS_CODE", "BARS_SERVICE_ID")
    ours = {
        "API_CLIENT_ID": facts.API_CLIENT_ID,
        "API_CLIENT_SECRET": ensure_api_secret(var, facts.API_CLIENT_ID),
        "HOST_API_CLIENT_ID": facts.HOST_API_CLIENT_ID,
        "HOST_API_CLIENT_SECRET": ensure_api_secret(var, facts.HOST_API_CLIENT_ID),
    }
    told = {**{name: environment[name] for name in names}, **ours}
    _write_secret(var / "demo.env", "".join(f"{name}={value}\n" for name, value in told.items()))


def ensure_api_secret(var: Path, client_id: str) -> str:
    """Of one of the demo's applications: made once, so that a second start changes nothing."""
    file = var / "keys" / f"api-client-secret-{client_id}"
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        _write_secret(file, secrets.token_urlsafe(32))
    return file.read_text().strip()


def write_manage_env(var: Path, environment: Mapping[str, str]) -> None:
    """The whole shared environment for `manage.py` beside the running demo, to be read by a shell."""
    lines = "".join(f"{name}={quote(value)}\n" for name, value in environment.items())
    _write_secret(var / "manage.env", lines)


def _cis2_registration(ports: Ports, *, keys: Mapping[str, str]) -> dict[str, Any]:
    """The content of cis2.json; `keys` are files of public keys by key id, relative to it."""
    # People type either name of this machine, and a redirect address is compared letter by letter.
    portals = [f"http://{host}:{ports.portal}" for host in ("127.0.0.1", "localhost")]
    client = {
        "keys": dict(keys),
        "redirect_uris": [f"{portal}/accounts/cis2/callback/" for portal in portals],
        "post_logout_redirect_uris": [f"{portal}/accounts/sign-in/" for portal in portals],
        "backchannel_logout_uri": f"{portals[0]}/accounts/cis2/logout/",
    }
    return {"clients": {facts.CIS2_CLIENT_ID: client}, "people": list(_people())}


def _people() -> Iterator[dict[str, Any]]:
    for number, user in enumerate(facts.USERS, start=1):
        # One role elsewhere, to see what the portal says to it.
        places = (*user.ods_codes, "Z9999")
        roles = [_role(user.role, f"{number:04}{place:02}", ods) for place, ods in enumerate(places)]
        yield _person(user.cis2_subject, user.first_name, user.last_name, roles)
    stranger = _role("clinician", "99990000", facts.SENDER_ODS)
    yield _person("demo-stranger", *facts.CIS2_STRANGER, [stranger])
    unsure = _role("clinician", "99990001", facts.SENDER_ODS)
    yield _person("demo-unsure", *facts.CIS2_UNSURE, [unsure]) | {"authentication_level": "1"}


def _person(sub: str, given: str, family: str, roles: list[dict[str, str]]) -> dict[str, Any]:
    return {"sub": sub, "given_name": given, "family_name": family, "roles": roles}


def _role(role: str, number: str, ods_code: str) -> dict[str, str]:
    code, name = _ROLES[role]
    return {"person_roleid": f"5550{number}", "org_code": ods_code, "role_code": code, "role_name": name}


def _write_secret(file: Path, lines: str) -> None:
    if not file.exists() or file.read_text() != lines:
        file.touch(mode=0o600)
        file.write_text(lines)


def _write(file: Path, content: object) -> None:
    text = json.dumps(content, indent=2) + "\n"
    if not file.exists() or file.read_text() != text:
        file.write_text(text)
