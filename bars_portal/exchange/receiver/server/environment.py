"""Reading RECEIVER_* variables: a missing or wrong one stops the start, naming it and not its value."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

Environment = Mapping[str, str]


class BadEnvironment(Exception):
    """A variable is missing or unusable; the text names the variable."""


def whole_number(environment: Environment, name: str, default: int, *, highest: int) -> int:
    """From 1 to `highest`."""
    text = environment.get(name, "") or str(default)
    if not (re.fullmatch(r"[0-9]{1,5}", text) and 1 <= int(text) <= highest):
        raise BadEnvironment(f"{name} must be a whole number from 1 to {highest}.")
    return int(text)


def required_file(environment: Environment, name: str) -> Path:
    path = optional_file(environment, name)
    if path is None:
        raise BadEnvironment(f"Set {name} to the path of a file.")
    return path


def optional_file(environment: Environment, name: str) -> Path | None:
    if not environment.get(name):
        return None
    path = Path(environment[name])
    if not path.is_file():
        raise BadEnvironment(f"{name} names no readable file.")
    return path


@dataclass(frozen=True)
class ServerSettings:
    """Where the receiver listens, what it presents and whom it trusts."""

    host: str
    port: int
    cert_file: Path
    key_file: Path
    ca_file: Path
    crl_file: Path | None
    workers: int
    threads: int

    @classmethod
    def read(cls, environment: Environment) -> "ServerSettings":
        """Raises BadEnvironment."""
        return cls(
            host=environment.get("RECEIVER_HOST") or "127.0.0.1",
            port=whole_number(environment, "RECEIVER_PORT", 8443, highest=65535),
            cert_file=required_file(environment, "RECEIVER_CERT_FILE"),
            key_file=required_file(environment, "RECEIVER_KEY_FILE"),
            ca_file=required_file(environment, "RECEIVER_CA_FILE"),
            crl_file=optional_file(environment, "RECEIVER_CRL_FILE"),
            workers=whole_number(environment, "RECEIVER_WORKERS", 2, highest=64),
            threads=whole_number(environment, "RECEIVER_THREADS", 16, highest=256),
        )

    @property
    def bind(self) -> str:
        """gunicorn's spelling, with brackets around an IPv6 address."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


# What the health process needs to know about the receiver beside it.


@dataclass(frozen=True)
class HealthSettings:
    """Where to listen, where the receiver is, and the client certificate to greet it with."""

    health_host: str
    health_port: int
    host: str
    port: int
    server_name: str
    ca_file: Path
    cert_file: Path
    key_file: Path

    @classmethod
    def read(cls, environment: Environment) -> "HealthSettings":
        """Raises BadEnvironment. RECEIVER_HEALTH_PORT is RECEIVER_PORT + 1 unless set."""
        host = environment.get("RECEIVER_HOST") or "127.0.0.1"
        port = whole_number(environment, "RECEIVER_PORT", 8443, highest=65535)
        return cls(
            health_host=environment.get("RECEIVER_HEALTH_HOST") or host,
            health_port=whole_number(environment, "RECEIVER_HEALTH_PORT", port + 1, highest=65535),
            host=host,
            port=port,
            server_name=environment.get("RECEIVER_HEALTH_SERVER_NAME") or "localhost",
            ca_file=required_file(environment, "RECEIVER_CA_FILE"),
            cert_file=required_file(environment, "RECEIVER_HEALTH_CERT_FILE"),
            key_file=required_file(environment, "RECEIVER_HEALTH_KEY_FILE"),
        )
