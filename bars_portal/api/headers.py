"""The headers by which good APIs speak: Prefer, ETag, X-Request-ID, and CORS."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, time
from hashlib import sha256
from threading import BoundedSemaphore
from typing import Any

import orjson
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.cache import patch_vary_headers
from django.utils.http import http_date
from django.utils.text import slugify
from rest_framework.request import Request
from rest_framework.response import Response

from bars_portal.api.operations import Operation
from bars_portal.api.problems import Problem, unusable_header

LONGEST_WAIT = 10.0
# Half of a process's threads (deploy/gunicorn_portal.py).
WAITERS = BoundedSemaphore(4)
REQUEST_ID = "X-Request-ID"
PLAIN_ID = r"^[A-Za-z0-9._:-]{1,100}$"
_PLAIN_ID = re.compile(PLAIN_ID)
_WAIT = re.compile(r"\bwait\s*=\s*\"?([0-9]{1,4})\"?\s*(?:[,;]|$)", re.IGNORECASE)
_WAIT_WANTED = re.compile(r"\bwait\b", re.IGNORECASE)
_TAGS = re.compile(r"\s*(?:\*|(?:W/)?\"[\x21\x23-\x7e]*\"(?:\s*,\s*(?:W/)?\"[\x21\x23-\x7e]*\")*)\s*")
_EXPOSED = (
    "Deprecation, ETag, Link, Location, Preference-Applied, RateLimit, RateLimit-Policy, Retry-After, "
    "Sunset, X-Request-ID"
)
_TAKEN = (
    "Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, Prefer, X-Acting-User, "
    "X-Request-ID"
)


def request_id_of(request: HttpRequest) -> str:
    """As it was sent, when it is a plain id; else the page view's own, which the log has too."""
    sent = request.headers.get(REQUEST_ID, "")
    return sent if _PLAIN_ID.fullmatch(sent) else str(getattr(request, "correlation_id", ""))


def check_headers(request: Request) -> None:
    """What every address understands is usable. Raises Problem, which names the header.

    Authorization, X-Acting-User and Idempotency-Key are judged where they are used.
    """
    sent = request.headers
    if REQUEST_ID in sent and not _PLAIN_ID.fullmatch(sent[REQUEST_ID]):
        words = f"{REQUEST_ID} must be up to 100 letters, digits and . _ : -"
        raise unusable_header(REQUEST_ID, words)
    preference = sent.get("Prefer", "")
    if _WAIT_WANTED.search(preference) and not _WAIT.search(preference):
        raise unusable_header("Prefer", "Prefer: wait must be a number of seconds, like wait=10.")
    for name in ("If-Match", "If-None-Match"):
        if name in sent and not _TAGS.fullmatch(sent[name]):
            raise unusable_header(name, f"{name} must be an ETag in its quotation marks, or *.")
    if sent.get("Content-Encoding", "identity").strip().lower() not in ("", "identity"):
        words = "Content-Encoding: send the body as it is, not compressed."
        raise unusable_header("Content-Encoding", words, problem="unsupported-media-type")


def wait_of(request: Request) -> float:
    """Seconds of Prefer: wait=n (RFC 7240), LONGEST_WAIT at most; 0.0 without."""
    found = _WAIT.search(request.headers.get("Prefer", ""))
    return min(float(found[1]), LONGEST_WAIT) if found else 0.0


@contextmanager
def turn_to_wait(request: Request) -> Iterator[float]:
    """The seconds that the request may wait; 0.0 when it did not ask, or when as many wait as may.

    Each holds a thread, and people's pages need some too.
    """
    wanted = wait_of(request)
    if not wanted or not WAITERS.acquire(blocking=False):
        yield 0.0
        return
    try:
        yield wanted
    finally:
        WAITERS.release()


def applied(seconds: float) -> dict[str, str]:
    """The header that says that Prefer was heard."""
    return {"Preference-Applied": f"wait={seconds:.0f}"} if seconds else {}


def etag_of(body: Any) -> str:
    """Of what an answer holds: the same as long as nothing of it changes."""
    return f'"{sha256(orjson.dumps(body)).hexdigest()[:32]}"'


def check_match(request: Request, etag: str) -> None:
    """If-Match, when it is there, names the resource as it stands. Raises Problem."""
    wanted = request.headers.get("If-Match")
    if wanted is not None and not _names(wanted, etag):
        raise Problem("precondition-failed")


def need_match(request: Request) -> None:
    """Raises Problem where If-Match does not say what was read."""
    if "If-Match" not in request.headers:
        raise Problem("if-match-missing")


def matches(request: Request) -> list[str]:
    """The tags of If-Match, without their quotes; ["*"] for whatever there is."""
    tags = request.headers.get("If-Match", "").split(",")
    return [each.strip().removeprefix("W/").strip('"') for each in tags]


def conditional(request: Request, body: Any, *, etag: str = "", **headers: str) -> Response:
    """200 with the ETag, or 304 for who has it already; `etag` is of a part that says all that counts."""
    etag = etag or etag_of(body)
    known = request.headers.get("If-None-Match")
    if known is not None and _names(known, etag):
        return Response(status=304, headers={"ETag": etag})
    return Response(body, headers={"ETag": etag, **headers})


def _names(header: str, etag: str) -> bool:
    """A weak one is the same here: compression makes it weak on the way."""
    tags = {each.strip().removeprefix("W/") for each in header.split(",")}
    return "*" in tags or etag in tags


def tell_deprecated(operation: Operation, response: HttpResponse) -> None:
    """Deprecation (RFC 9745) and Sunset (RFC 8594) of what it still serves, the soonest of each."""
    found = operation.deprecations
    if not found:
        return
    since, ends = (
        datetime.combine(day, time(), UTC).timestamp()
        for day in (min(each.since for each in found), min(each.ends for each in found))
    )
    response["Deprecation"] = f"@{since:.0f}"
    response["Sunset"] = http_date(ends)
    page = reverse("api:docs-resource", args=[slugify(operation.tag)])
    told = f'<{page}#{operation.id}>; rel="deprecation"'
    response["Link"] = f"{response['Link']}, {told}" if response.has_header("Link") else told


def tell_origin(request: HttpRequest, response: HttpResponse) -> None:
    """CORS for listed origins alone (API_ALLOWED_ORIGINS)."""
    if settings.API_ALLOWED_ORIGINS:
        # A cache must not give one origin's answer to another.
        patch_vary_headers(response, ("Origin",))
    origin = request.headers.get("Origin")
    if origin is None or origin not in settings.API_ALLOWED_ORIGINS:
        return
    response["Access-Control-Allow-Origin"] = origin
    response["Access-Control-Expose-Headers"] = _EXPOSED
    if request.method == "OPTIONS":
        response["Access-Control-Allow-Methods"] = response.get("Allow", "")
        response["Access-Control-Allow-Headers"] = _TAKEN
        response["Access-Control-Max-Age"] = "600"
