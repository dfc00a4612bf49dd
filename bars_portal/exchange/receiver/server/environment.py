"""What the receiver's server and its health process read from RECEIVER_* variables; blank is not set.

And who may call, by name and address: Django's settings read that here too, but the server judges first.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_network
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

from bars_portal.credentials.environments import ENVIRONMENTS
from bars_portal.settings.environment import Environment

Variables = Mapping[str, str]


def _environment(variables: Variables) -> Environment:
    return Environment({name: value for name, value in variables.items() if value})


def _folder(path: str) -> Path | None:
    return Path(path) if path else None


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
    environment: str = ""
    peer_names: tuple[str, ...] = ()
    peer_sources: tuple[str, ...] = ()
    # For each organisation with a name of its own a folder with receiver.pem and receiver.key.
    certificates_folder: Path | None = None

    @classmethod
    def read(cls, variables: Variables) -> "ServerSettings":
        """Raises ImproperlyConfigured."""
        env = _environment(variables)
        return cls(
            host=env.text("RECEIVER_HOST", "127.0.0.1"),
            port=env.port("RECEIVER_PORT", 8443),
            cert_file=env.file("RECEIVER_CERT_FILE"),
            key_file=env.file("RECEIVER_KEY_FILE"),
            ca_file=env.file("RECEIVER_CA_FILE"),
            crl_file=env.file("RECEIVER_CRL_FILE") if env.text("RECEIVER_CRL_FILE", "") else None,
            workers=env.whole("RECEIVER_WORKERS", 2, 1, 64),
            threads=env.whole("RECEIVER_THREADS", 16, 1, 256),
            environment=env.text("BARS_ENVIRONMENT", "simulator"),
            # As Django's settings have them: there an empty list is one.
            peer_names=tuple(peer_names(Environment(variables), env.text("BARS_ENVIRONMENT", "simulator"))),
            peer_sources=tuple(peer_sources(Environment(variables))),
            certificates_folder=_folder(env.text("RECEIVER_CERTIFICATES_FOLDER", "")),
        )

    @property
    def pairs(self) -> tuple[tuple[Path, Path], ...]:
        """Certificate and key of each organisation that has its own; those that are there now."""
        if self.certificates_folder is None:
            return ()
        found = sorted(self.certificates_folder.glob("*/receiver.pem"))
        return tuple((each, each.with_suffix(".key")) for each in found)

    @property
    def bind(self) -> str:
        """gunicorn's spelling, with brackets around an IPv6 address."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


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
    def read(cls, variables: Variables) -> "HealthSettings":
        """Raises ImproperlyConfigured. RECEIVER_HEALTH_PORT is RECEIVER_PORT + 1 unless set."""
        env = _environment(variables)
        host, port = env.text("RECEIVER_HOST", "127.0.0.1"), env.port("RECEIVER_PORT", 8443)
        return cls(
            health_host=env.text("RECEIVER_HEALTH_HOST", host),
            health_port=env.port("RECEIVER_HEALTH_PORT", port + 1),
            host=host,
            port=port,
            server_name=env.text("RECEIVER_HEALTH_SERVER_NAME", "localhost"),
            ca_file=env.file("RECEIVER_CA_FILE"),
            cert_file=env.file("RECEIVER_HEALTH_CERT_FILE"),
            key_file=env.file("RECEIVER_HEALTH_KEY_FILE"),
        )


# -- who may call the receiver in each environment


def peer_names(env: Environment, environment: str) -> list[str]:
    """BARS_PEER_NAMES: the names in a certificate of which one must be there."""
    known = ENVIRONMENTS.get(environment)
    return env.listing("BARS_PEER_NAMES", known.peer_names if known else ())


def peer_sources(env: Environment) -> list[str]:
    """BARS_PEER_SOURCES: addresses, networks, "int" and "prod" for the published ones; none: from anywhere.

    Raises ImproperlyConfigured.
    """
    words = env.listing("BARS_PEER_SOURCES")
    found = [each for word in words for each in _published(word.lower()) or (word,)]
    try:
        for each in found:
            ip_network(each)
    except ValueError:
        raise ImproperlyConfigured(
            'BARS_PEER_SOURCES must hold IP addresses, networks, "int" or "prod".'
        ) from None
    return found


def _published(name: str) -> tuple[str, ...]:
    return ENVIRONMENTS[name].addresses if name in ENVIRONMENTS else ()
