"""The other side of bench_sender.py, a program of its own: tokens, answers to messages, and slots.

A search takes SEARCH_SECONDS, of the service HANGING very long. `GET /tokens` tells how many were asked for.
"""

import base64
import json
import time
from collections.abc import Callable, Iterable
from itertools import count
from typing import Any

HANGING = "2000088819"
SEARCH_SECONDS, HANG_SECONDS = 0.3, 20.0
_ECHOED = (("X-Request-Id", "HTTP_X_REQUEST_ID"), ("X-Correlation-Id", "HTTP_X_CORRELATION_ID"))
_REPLY = json.dumps({"resourceType": "Bundle", "type": "message", "pad": "x" * 20_000}).encode()
_SLOTS = json.dumps({"resourceType": "Bundle", "type": "searchset", "total": 0, "entry": []}).encode()
_tokens = count()
_issued = [0]


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    path = environ["PATH_INFO"]
    environ["wsgi.input"].read()
    body = _REPLY
    if path == "/tokens":
        body = str(_issued[0]).encode()
    elif path == "/oauth2/token":
        _issued[0] += 1
        # As long as signing and checking take on the real one.
        time.sleep(0.1)
        body = json.dumps({"access_token": f"token-{next(_tokens)}", "expires_in": "599"}).encode()
    elif path.endswith("/Slot"):
        target = json.loads(base64.b64decode(environ["HTTP_NHSD_TARGET_IDENTIFIER"]))["value"]
        time.sleep(HANG_SECONDS if target == HANGING else SEARCH_SECONDS)
        body = _SLOTS
    echoed = [(name, environ[key]) for name, key in _ECHOED if key in environ]
    start_response("200 OK", [("Content-Type", "application/fhir+json"), *echoed])
    return [body]
