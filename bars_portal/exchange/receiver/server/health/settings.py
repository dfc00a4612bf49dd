"""What the health process needs to know about the receiver beside it."""

from dataclasses import dataclass
from pathlib import Path

from bars_portal.exchange.receiver.server.environment import (
    Environment,
    required_file,
    whole_number,
)


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
