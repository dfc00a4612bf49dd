"""What the simulator needs to know to start; nothing here reads the environment or a file."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

Clock = Callable[[], datetime]
Sleep = Callable[[float], object]

FHIR_BASE = "/booking-and-referral/FHIR/R4"
TOKEN_PATH = "/oauth2/token"  # noqa: S105 - a path, no secret


@dataclass(frozen=True)
class Config:
    """Addresses and files. `public_url` is what senders call us: their assertion's `aud` must name it.

    `ca_key_file` is the authority's key, for the drill with an expired certificate only. `reply_delay` is
    how many seconds after a request TKW sends the reply that it set off.
    """

    host: str
    port: int
    public_url: str
    state_dir: Path
    ca_file: Path
    client_cert_file: Path
    client_key_file: Path
    clients_file: Path
    catalogue_file: Path
    # People and applications of the mock CIS2 issuer; a file that is not there is an empty one.
    cis2_file: Path = Path("cis2.json")
    ca_key_file: Path | None = None
    reply_delay: float = 3.0

    @property
    def token_url(self) -> str:
        """The full token URL, the only accepted audience."""
        return self.public_url + TOKEN_PATH

    @property
    def fhir_url(self) -> str:
        """The base URL of the BaRS proxy."""
        return self.public_url + FHIR_BASE


def system_clock() -> datetime:
    """The real time, aware, in UTC."""
    return datetime.now(UTC)
