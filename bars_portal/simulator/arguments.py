"""The command line, each option also as an environment variable (SIMULATOR_...)."""

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path

from bars_portal.simulator.config import Config

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


def read_config(arguments: Sequence[str], environment: Mapping[str, str]) -> Config:
    """The configuration; ends the program with a message when an option is missing or wrong."""
    parser = _parser(environment)
    given = parser.parse_args(arguments)
    if not given.port.isdigit() or not 0 < int(given.port) < 65536:
        parser.error("--port must be a number from 1 to 65535")
    if not _is_seconds(given.reply_delay):
        parser.error("--reply-delay must be a number of seconds from 0 to 3600")
    for name in ("ca", "client_cert", "client_key", *(("ca_key",) if given.ca_key else ())):
        if not Path(getattr(given, name)).is_file():
            parser.error(f"--{name.replace('_', '-')}: there is no such file")
    return _config(given)


def _parser(environment: Mapping[str, str]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bars_portal.simulator", description=DESCRIPTION)
    for name, default, text in OPTIONS:
        variable = f"SIMULATOR_{name.replace('-', '_').upper()}"
        fallback = environment.get(variable, default)
        shown = f"{text} [{variable}]" + (f" (default {default})" if default else "")
        parser.add_argument(f"--{name}", default=fallback, required=fallback is None, help=shown)
    return parser


def _config(given: argparse.Namespace) -> Config:
    return Config(
        host=given.host,
        port=int(given.port),
        public_url=(given.public_url or f"http://{given.host}:{given.port}").rstrip("/"),
        state_dir=Path(given.state),
        ca_file=Path(given.ca),
        client_cert_file=Path(given.client_cert),
        client_key_file=Path(given.client_key),
        clients_file=Path(given.clients),
        catalogue_file=Path(given.catalogue),
        cis2_file=Path(given.cis2 or Path(given.state) / "cis2.json"),
        ca_key_file=Path(given.ca_key) if given.ca_key else None,
        reply_delay=float(given.reply_delay),
    )


def _is_seconds(text: str) -> bool:
    try:
        return 0 <= float(text) <= MOST_SECONDS
    except ValueError:
        return False
