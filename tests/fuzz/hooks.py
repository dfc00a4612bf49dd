"""What schemathesis is told beyond the description: headers that get past the door, ids echoed, counts.

Loaded by its command line (SCHEMATHESIS_HOOKS), in the process of its own that described.py starts.
"""

import atexit
import json
import os
from collections import Counter
from pathlib import Path
from random import Random
from threading import Lock
from typing import Any

import schemathesis
from schemathesis import Case, CheckContext, HookContext, Response, SerializationContext

from tests.fuzz.shots import usual_headers

AnyCase = Case[Any]
_IDS = ("X-Request-ID", "X-Correlation-ID")
_rng = Random(int(os.environ.get("FUZZ_SEED", "1")))
_counts: dict[str, Counter[str]] = {}
_lock = Lock()


@schemathesis.hook
def before_call(context: HookContext, case: AnyCase, kwargs: dict[str, Any]) -> None:
    """Three of four requests get sound NHSD headers: made up ones are refused before anything is read."""
    with _lock:
        usual, open_door = usual_headers(_rng), _rng.random() < 0.75
    if open_door and case.headers is not None:
        case.headers.update({name: value for name, value in usual.items() if name.startswith(("NHSD", "X-"))})


@schemathesis.hook
def after_call(context: HookContext, case: AnyCase, response: Response) -> None:
    with _lock:
        _counts.setdefault(case.operation.label, Counter())[str(response.status_code)] += 1


@schemathesis.check
def ids_echoed(ctx: CheckContext, response: Response, case: AnyCase) -> None:
    """Both ids, as they were sent, on every FHIR answer."""
    if not response.headers.get("content-type", [""])[0].startswith("application/fhir+"):
        return
    for name in _IDS:
        sent = response.request.headers.get(name)
        if sent and sent.isascii() and sent.strip() == sent:
            assert response.headers.get(name.lower()) == [sent], f"{name} is not echoed"


@schemathesis.serializer("application/fhir+xml")
def as_text(ctx: SerializationContext, value: Any) -> bytes:
    return value.encode(errors="replace") if isinstance(value, str) else json.dumps(value).encode()


@atexit.register
def _write_counts() -> None:
    if "FUZZ_COUNTS" in os.environ:
        Path(os.environ["FUZZ_COUNTS"]).write_text(json.dumps(_counts))
