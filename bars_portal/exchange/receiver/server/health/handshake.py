"""Whether the receiver still finishes a TLS handshake with a client of its own chain."""

import socket
import ssl
from pathlib import Path

from bars_portal.exchange.receiver.server.health.checks import Check, CheckFailed

_ANYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - what the receiver binds, not what we bind


def handshake_check(
    *, host: str, port: int, server_name: str, ca_file: Path, cert_file: Path, key_file: Path, seconds: float
) -> Check:
    """A check that connects as a client does. `server_name` is the name in the receiver's certificate."""

    def check() -> None:
        # The files are read each time: a renewed certificate needs no restart.
        context = _client_context(ca_file, cert_file, key_file)
        address = (_ANYWHERE.get(host, host), port)
        try:
            with (
                socket.create_connection(address, timeout=seconds) as plain,
                context.wrap_socket(plain, server_hostname=server_name),
            ):
                return
        except ssl.SSLError as error:
            raise CheckFailed(f"handshake failed: {(error.reason or 'broken off').lower()}") from None
        except TimeoutError:
            raise CheckFailed("no answer in time") from None
        except OSError:
            raise CheckFailed("no connection") from None

    return check


def _client_context(ca_file: Path, cert_file: Path, key_file: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(cafile=ca_file)
    context.load_cert_chain(cert_file, key_file)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    # Under TLS 1.3 a client is done before the server has judged its certificate; under 1.2 it is not.
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    return context
