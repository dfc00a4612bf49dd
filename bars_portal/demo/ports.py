"""Where the demo listens: overridable, and checked before anything starts."""

import os
import socket
from dataclasses import dataclass


class PortTaken(Exception):
    """Another program listens there; the text names the port and the variable to change."""


@dataclass(frozen=True)
class Ports:
    portal: int
    receiver: int
    receiver_health: int
    simulator: int

    @classmethod
    def read(cls) -> "Ports":
        receiver = int(os.environ.get("RECEIVER_PORT", "8443"))
        return cls(
            portal=int(os.environ.get("PORTAL_PORT", "8000")),
            receiver=receiver,
            receiver_health=int(os.environ.get("RECEIVER_HEALTH_PORT", str(receiver + 1))),
            simulator=int(os.environ.get("SIMULATOR_PORT", "8010")),
        )

    def require_free(self) -> None:
        """Raises PortTaken."""
        for name, port in vars(self).items():
            with socket.socket() as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                try:
                    probe.bind(("127.0.0.1", port))
                except OSError:
                    raise PortTaken(
                        f"Port {port} is taken: set {name.upper()}_PORT to another one."
                    ) from None
