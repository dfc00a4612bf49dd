"""What the tests run under the receiver's TLS server: it counts, and says whom it sees."""

import json
import os
from collections.abc import Callable, Iterable
from dataclasses import asdict
from pathlib import Path
from threading import current_thread
from typing import Any

from bars_portal.exchange.receiver.server.peer import BUNDLED, Trust, peer_address, peer_certificate
from bars_portal.exchange.receiver.server.worker import ReceiverWorker

if os.environ.get("BROKEN"):
    raise RuntimeError("deliberate")

StartResponse = Callable[[str, list[tuple[str, str]]], object]


class ImpatientWorker(ReceiverWorker):
    """Gives a request one second, so that a test need not wait for ten."""

    request_seconds = 1.0


def application(environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
    with Path(os.environ["COUNT_FILE"]).open("a") as counter:
        counter.write(".")
    if environ["PATH_INFO"] == "/crash":
        raise RuntimeError("deliberate")
    if environ["PATH_INFO"] == "/unread":
        start_response("413 Content Too Large", [("Content-Type", "text/plain"), ("Content-Length", "0")])
        return []
    received = environ["wsgi.input"].read()
    behind = os.environ.get("BARS_PEER_SOURCE") == "proxy"
    trust = Trust.proxy(["unix"]) if behind else BUNDLED
    peer = peer_certificate(environ, trust)
    answer = {
        "peer": asdict(peer) if peer else None,
        "scheme": environ["wsgi.url_scheme"],
        "received": len(received),
        "address": peer_address(environ, trust),
        "forwarded_for": environ.get("HTTP_X_FORWARDED_FOR", ""),
        "proto": environ.get("HTTP_X_FORWARDED_PROTO", ""),
        "thread": current_thread().name,
    }
    content = json.dumps(answer, default=str).encode() + b" " * int(
        environ["QUERY_STRING"].partition("pad=")[2] or 0
    )
    start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(content)))])
    return [content]
