"""What schemathesis is told of the REST API beyond its document: a token, times that are free, what to note.

Loaded by its command line (SCHEMATHESIS_HOOKS), in the process of its own that api.py starts.
"""

import atexit
import json
import os
import re
from collections import Counter, deque
from pathlib import Path
from random import Random
from threading import Lock
from time import monotonic
from typing import Any
from uuid import uuid4

import httpx
import schemathesis
from schemathesis import Case, CheckContext, HookContext, Response

AnyCase = Case[Any]
_DOCTOR = (
    '{"name": "Dr Ann Lee", "identifier": {"system": "https://hospital.example/staff", "value": "77"},'
    ' "role": "clinician", "clinical": true}'
)
_PATIENT: dict[str, Any] = {
    "family_name": "Quill",
    "given_names": "Ada",
    "birth_date": "1945-07-14",
    "gender": "female",
    "phone": "07700 900123",
}
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
# A token lasts ten minutes.
_TOKEN_SECONDS = 300.0
_rng, _lock = Random(1), Lock()
_counts: dict[str, Counter[str]] = {}
_ids: set[str] = set()
_slots: deque[str] = deque(maxlen=500)
_token, _token_until = "", 0.0


def _bearer() -> str:
    global _token, _token_until
    if monotonic() > _token_until:
        proof = os.environ["API_CLIENT_ID"], os.environ["API_CLIENT_SECRET"]
        scope = {"scope": os.environ["FUZZ_SCOPE"]} if os.environ["FUZZ_SCOPE"] else {}
        asked = {"grant_type": "client_credentials", **scope}
        answer = httpx.post(f"{os.environ['FUZZ_API']}/api/oauth2/token/", data=asked, auth=proof, timeout=30)
        _token, _token_until = answer.raise_for_status().json()["access_token"], monotonic() + _TOKEN_SECONDS
    return f"Bearer {_token}"


@schemathesis.hook
def before_call(context: HookContext, case: AnyCase, kwargs: dict[str, Any]) -> None:
    """A token always; of three requests two have sound headers, and of their bookings most a real time."""
    with _lock:
        case.headers["Authorization"] = _bearer()
        is_usual, is_for_person = _rng.random() < 0.7, _rng.random() < 0.3
        slot = _slots.popleft() if _slots and isinstance(case.body, dict) and "slot" in case.body else None
        if is_usual:
            for name in ("X-Request-ID", "Prefer", "If-Match", "If-None-Match", "X-Acting-User"):
                case.headers.pop(name, None)
            if "Idempotency-Key" in case.headers:
                case.headers["Idempotency-Key"] = str(uuid4())
            if is_for_person:
                case.headers["X-Acting-User"] = _DOCTOR
        if is_usual and slot and isinstance(case.body, dict):
            case.body["slot"] = slot
            if "patient" in case.body:
                case.body = {"slot": slot, "patient": {**_PATIENT}}


@schemathesis.hook
def after_call(context: HookContext, case: AnyCase, response: Response) -> None:
    text = response.content.decode(errors="replace")
    with _lock:
        _counts.setdefault(case.operation.label, Counter())[str(response.status_code)] += 1
        sent = set(_UUID.findall(f"{case.formatted_path} {case.query} {case.body!r} {case.headers}"))
        # What was sent may come back.
        _ids.update(set(_UUID.findall(text)) - sent)
        if response.status_code == 200 and "/slots" in case.path:
            found = json.loads(text)
            for each in found.get("results", [found]):
                _slots.extend(slot["id"] for slot in each["slots"][:20])


@schemathesis.check
def as_every_answer(ctx: CheckContext, response: Response, case: AnyCase) -> None:
    """An id that names the request, and problems that have a page."""
    assert response.headers.get("x-request-id"), "X-Request-ID is missing"
    if response.status_code >= 400 and response.content:
        problem = json.loads(response.content)
        assert "/api/docs/problems/" in problem["type"], "The problem has no page"
        assert problem["status"] == response.status_code, "The problem names another status"


@atexit.register
def _write_notes() -> None:
    if "FUZZ_NOTES" in os.environ:
        notes = {"counts": _counts, "ids": sorted(_ids)}
        Path(os.environ["FUZZ_NOTES"]).write_text(json.dumps(notes))
