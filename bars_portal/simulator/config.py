"""What the simulator is started with, and the files that it reads again when they change."""

import argparse
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock
from typing import Generic, TypeVar

Clock = Callable[[], datetime]
Sleep = Callable[[float], object]

FHIR_BASE = "/booking-and-referral/FHIR/R4"
TOKEN_PATH = "/oauth2/token"  # noqa: S105 - a path, no secret
DESCRIPTION = "The NHS side of BaRS for development and tests: token endpoint, proxy, catalogue, TKW."
MOST_SECONDS = 3600
# Option, default, help. Without a default the option is required.
OPTIONS: tuple[tuple[str, str | None, str], ...] = (
    ("host", "127.0.0.1", "address to listen on"),
    ("port", "8010", "port to listen on"),
    (
        "public-url",
        "",
        "what senders call us, also the audience of assertions; http://HOST:PORT when not given",
    ),
    ("reply-delay", "3", "seconds until TKW sends the reply that a request sets off"),
    ("state", None, "folder for working files"),
    ("ca", None, "certificates (PEM) that receivers are trusted by"),
    ("client-cert", None, "the proxy's client certificate (PEM)"),
    ("client-key", None, "the proxy's private key (PEM)"),
    ("ca-key", "", "the authority's private key (PEM), only for drills with an expired certificate"),
    (
        "clients",
        None,
        'registered applications: {"<api key>": {"<kid>": "<public key PEM, relative to the file>"}}',
    ),
    (
        "catalogue",
        None,
        'endpoint catalogue: {"NHSD-Target-Identifier": {system: {value: base URL or simulator:tkw}}}',
    ),
    ("cis2", "", "people and applications of the mock CIS2 issuer; STATE/cis2.json when not given"),
)
log = logging.getLogger("simulator")
T = TypeVar("T")
Stamp = tuple[int, int, int]


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


def read_config(arguments: Sequence[str], environment: Mapping[str, str]) -> Config:
    """The configuration; ends the program with a message when an option is missing or wrong."""
    parser = _parser(environment)
    options = parser.parse_args(arguments)
    if not options.port.isdigit() or not 0 < int(options.port) < 65536:
        parser.error("--port must be a number from 1 to 65535")
    if not _is_seconds(options.reply_delay):
        parser.error("--reply-delay must be a number of seconds from 0 to 3600")
    for name in ("ca", "client_cert", "client_key", *(("ca_key",) if options.ca_key else ())):
        if not Path(getattr(options, name)).is_file():
            parser.error(f"--{name.replace('_', '-')}: there is no such file")
    return _config(options)


def _parser(environment: Mapping[str, str]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bars_portal.simulator", description=DESCRIPTION)
    for name, default, text in OPTIONS:
        variable = f"SIMULATOR_{name.replace('-', '_').upper()}"
        fallback = environment.get(variable, default)
        shown = f"{text} [{variable}]" + (f" (default {default})" if default else "")
        parser.add_argument(f"--{name}", default=fallback, required=fallback is None, help=shown)
    return parser


def _config(options: argparse.Namespace) -> Config:
    return Config(
        host=options.host,
        port=int(options.port),
        public_url=(options.public_url or f"http://{options.host}:{options.port}").rstrip("/"),
        state_dir=Path(options.state),
        ca_file=Path(options.ca),
        client_cert_file=Path(options.client_cert),
        client_key_file=Path(options.client_key),
        clients_file=Path(options.clients),
        catalogue_file=Path(options.catalogue),
        cis2_file=Path(options.cis2 or Path(options.state) / "cis2.json"),
        ca_key_file=Path(options.ca_key) if options.ca_key else None,
        reply_delay=float(options.reply_delay),
    )


def _is_seconds(text: str) -> bool:
    try:
        return 0 <= float(text) <= MOST_SECONDS
    except ValueError:
        return False


class WatchedFile(Generic[T]):
    """The parsed content of one file. Safe to share between threads.

    `parse` gets the bytes and may raise ValueError or OSError: then the last good content stays (the writer
    may be half-way). A missing file counts as `empty`.
    """

    def __init__(self, path: Path, *, parse: Callable[[bytes], T], empty: T) -> None:
        self._path = path
        self._parse = parse
        self._empty = empty
        self._value = empty
        self._seen: Stamp | None = None
        self._lock = Lock()

    def read(self) -> T:
        """The content as of now."""
        with self._lock:
            stamp = self._stamp()
            if stamp is None:
                self._value, self._seen = self._empty, None
            elif stamp != self._seen:
                self._load(stamp)
            return self._value

    def _stamp(self) -> Stamp | None:
        try:
            stat = self._path.stat()
        except FileNotFoundError:
            return None
        return stat.st_mtime_ns, stat.st_size, stat.st_ino

    def _load(self, stamp: Stamp) -> None:
        try:
            self._value = self._parse(self._path.read_bytes())
            self._seen = stamp
        except (ValueError, OSError) as problem:
            # Not marked as seen: what was missing (a key file, say) may come without another change.
            log.warning(
                "%s could not be read (%s): keeping the last content", self._path.name, type(problem).__name__
            )
