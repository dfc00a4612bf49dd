"""The receiver's application behind gunicorn without TLS: every caller is the one whose certificate is given.

For comparison only: what TLS costs shows when all else is equal. BENCH_PEER_CERTIFICATE names the PEM file.
"""

import os
import ssl
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from bars_portal.exchange.receiver.server.tls import PeerSocket
from bars_portal.wsgi import application as receiver


def _caller() -> PeerSocket:
    """What a finished handshake leaves behind, without a connection."""
    pem = Path(os.environ["BENCH_PEER_CERTIFICATE"]).read_text()
    first = pem[: pem.index("-----END CERTIFICATE-----")] + "-----END CERTIFICATE-----\n"
    caller = PeerSocket.__new__(PeerSocket)
    caller._context = ssl.create_default_context()  # type: ignore[attr-defined]  # where `context` looks
    caller.peer_der = ssl.PEM_cert_to_DER_cert(first)
    return caller


_CALLER = _caller()


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    return receiver({**environ, "gunicorn.socket": _CALLER}, start_response)
