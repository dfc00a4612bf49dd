"""A POST under its Idempotency-Key is carried out once, whatever is repeated, lost or killed (docs/adr/0051).

The key is claimed by its own short commit, with a lease. What is written commits together with the note
that it was: a kill before that leaves nothing, and one after it an answer that can be made again from what
was written.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from uuid import UUID, uuid4

import orjson
from django.db import transaction
from django.db.models.functions import Now
from django.http import HttpResponse
from rest_framework.request import Request
from rest_framework.response import Response

from bars_portal.api.callers import ACTING_USER
from bars_portal.api.models import Application, KeyedRequest
from bars_portal.api.problems import PROBLEMS, Problem, unusable_header
from bars_portal.sealing import Sealer
from bars_portal.sql import insert_unless_there

HEADER, REPLAYED = "Idempotency-Key", "Idempotent-Replayed"
KEPT_FOR = timedelta(hours=24)
# Longer than a request can last: what it asks other services, and Prefer: wait.
LEASE = timedelta(seconds=40)
# Told to whoever repeats a request that is under way; most are over by then.
RETRY_SECONDS = 2
_KEY = re.compile(r"[\x21-\x7e]{1,255}")
_KEPT_HEADERS = ("Location", "ETag", "Preference-Applied", "Content-Type")
_SEALER = Sealer("bars_portal.api kept answer")
_TRIES = 5


class Superseded(Exception):
    """The lease was over, and a repeat has carried it out: what this one wrote is rolled back."""


@dataclass
class Attempt:
    """The right to carry a request out. Who writes sets `subject_id` before the block of `writing` ends."""

    row_id: UUID
    holder: UUID
    subject_id: str = ""

    @contextmanager
    def writing(self) -> Iterator["Attempt"]:
        """A transaction for the one thing that is written. Raises Superseded at its end."""
        with transaction.atomic():
            yield self
            ours = KeyedRequest.objects.filter(pk=self.row_id, holder=self.holder, written_at=None)
            if not ours.update(written_at=Now(), subject_id=self.subject_id):
                raise Superseded


def key_of(request: Request) -> str:
    """Raises Problem."""
    key = request.headers.get(HEADER, "").strip()
    # As a structured string (draft-ietf-httpapi-idempotency-key-header) or bare, as most send it.
    key = key[1:-1] if len(key) > 1 and key[0] == key[-1] == '"' else key
    if not _KEY.fullmatch(key):
        name = "idempotency-key-missing"
        raise unusable_header(HEADER, PROBLEMS[name].meaning, problem=name)
    return key


def fingerprint_of(request: Request) -> str:
    """Of what is asked, by whom and for whom: all that must be the same in a repeat."""
    plain = request._request
    told = [
        plain.method,
        plain.get_full_path(),
        plain.headers.get(ACTING_USER, ""),
        sha256(plain.body).hexdigest(),
    ]
    return sha256(orjson.dumps(told)).hexdigest()


def carried_out(
    request: Request,
    application: Application,
    *,
    carry_out: Callable[[Attempt], Response],
    answer_again: Callable[[str], Response],
    now: datetime,
) -> HttpResponse:
    """The answer to the request: of the first time, or as it was kept.

    `carry_out` may answer a problem, but raises nothing but Superseded; `answer_again` makes the answer from
    what was written. Raises Problem.
    """
    key, fingerprint = key_of(request), fingerprint_of(request)
    found = claim(application=application, key=key, fingerprint=fingerprint, now=now)
    if isinstance(found, Attempt):
        try:
            response = carry_out(found)
        except Superseded:
            raise Problem("still-running", retry_after=RETRY_SECONDS) from None
        _settle(found, response)
        return response
    if found.answered_at is not None and (kept := _kept(found)) is not None:
        return kept
    if found.written_at is None:
        # A refusal that cannot be read any more: nothing was done, and nothing can be said of it.
        raise Problem("changed-meanwhile")
    response = answer_again(found.subject_id)
    response[REPLAYED] = "true"
    return response


def claim(*, application: Application, key: str, fingerprint: str, now: datetime) -> Attempt | KeyedRequest:
    """The right to carry it out, or the row of what was carried out. Raises Problem."""
    for _ in range(_TRIES):
        attempt = Attempt(uuid4(), uuid4())
        row = KeyedRequest(
            id=attempt.row_id,
            application=application,
            key=key,
            fingerprint=fingerprint,
            begun_at=now,
            holder=attempt.holder,
            lease_until=now + LEASE,
        )
        if insert_unless_there(row):
            return attempt
        found = KeyedRequest.objects.filter(application=application, key=key).first()
        if found is None:
            # Freed at this moment.
            continue
        if found.begun_at <= now - KEPT_FOR:
            KeyedRequest.objects.filter(pk=found.pk, holder=found.holder).delete()
            continue
        if found.fingerprint != fingerprint:
            raise Problem("key-reused")
        if found.written_at is not None or found.answered_at is not None:
            return found
        if found.lease_until > now:
            raise Problem("still-running", retry_after=RETRY_SECONDS)
        taken_over = _take_over(found, now)
        if taken_over is not None:
            return taken_over
    raise Problem("still-running", retry_after=RETRY_SECONDS)


def _take_over(found: KeyedRequest, now: datetime) -> Attempt | None:
    """Whoever had it is dead, or so slow that it may not write any more."""
    attempt = Attempt(found.pk, uuid4())
    still = KeyedRequest.objects.filter(pk=found.pk, holder=found.holder, written_at=None, answered_at=None)
    return attempt if still.update(holder=attempt.holder, lease_until=now + LEASE) else None


def _settle(attempt: Attempt, response: Response) -> None:
    """Keep the answer when something was written, or the same would be refused again; else free the key."""
    ours = KeyedRequest.objects.filter(pk=attempt.row_id, holder=attempt.holder)
    problem: Problem | None = getattr(response, "problem", None)
    if problem is not None and not problem.type.is_final:
        # What was written stays: a repeat is answered from it.
        ours.filter(written_at=None).delete()
        return
    response.render()
    ours.filter(answered_at=None).update(
        answered_at=Now(),
        status=response.status_code,
        headers={name: response[name] for name in _KEPT_HEADERS if response.has_header(name)},
        sealed=_SEALER.seal(response.content),
    )


def _kept(found: KeyedRequest) -> HttpResponse | None:
    """None when it cannot be read any more: SECRET_KEY is another one."""
    body = _SEALER.unseal(bytes(found.sealed or b""))
    if body is None:
        return None
    return HttpResponse(body, status=found.status, headers={**found.headers, REPLAYED: "true"})


def forget_answers(*, now: datetime) -> int:
    """Delete what is older than a day; returns how many."""
    deleted, _ = KeyedRequest.objects.filter(begun_at__lte=now - KEPT_FOR).delete()
    return deleted
