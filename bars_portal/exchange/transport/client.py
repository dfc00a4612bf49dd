"""The BaRS API as a sender sees it: adds token and media types, sends, and renews the token once.

Beside it the Endpoint Catalogue API as a reader sees it: searches, page by page (api.md section 5).
"""

import logging
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import copy
from datetime import datetime
from ssl import SSLContext
from time import monotonic, perf_counter
from typing import Any, Protocol
from urllib.parse import parse_qsl, urlsplit
from uuid import uuid4

from bars_portal import correlation
from bars_portal.exchange.fhir import json
from bars_portal.exchange.fhir.identifiers import ODS_SYSTEM
from bars_portal.exchange.fhir.json import as_dict, as_text, dicts
from bars_portal.exchange.fhir.outcomes import OutcomeError
from bars_portal.exchange.fhir.profiles import STANDARD_VERSION
from bars_portal.exchange.transport.auth import TokensOf
from bars_portal.exchange.transport.headers import (
    CORRELATION_ID,
    ORGANISATION,
    REQUEST_ID,
    OutgoingContext,
    Party,
    accept_of,
    decode_json,
    encode_headers,
    encode_json,
    organisation_json,
    read_organisation,
)
from bars_portal.exchange.transport.judgement import (
    Health,
    health_of_answer,
    health_of_error,
    is_about_token,
)
from bars_portal.http import (
    Answer,
    Client,
    Limits,
    NotSent,
    Timeout,
    TransportError,
    milliseconds_since,
    pool,
    send,
)
from bars_portal.metrics.figures import CALL_SECONDS
from bars_portal.tracing import span

ACCEPT = accept_of(STANDARD_VERSION)
# The one version that the API specification names for bodies of $process-message.
CONTENT_TYPE = "application/fhir+json;version=1.0.0"
# The proxy waits 32 s for the receiver, so its own answer comes after that.
ANSWER_SECONDS = 35.0
CONNECT_SECONDS = 5.0

logger = logging.getLogger(__name__)
_PATH = re.compile(r"(?:/[A-Za-z0-9$_-][A-Za-z0-9$_.-]*)+")


def build_http(
    *, timeout_seconds: float = ANSWER_SECONDS, verify: SSLContext | bool, connections: int = 20
) -> Client:
    """The pool for BaRS, one per process.

    `timeout_seconds` is the wait for an answer; connecting, writing and the pool have their own short limits.
    """
    return pool(
        verify=verify,
        timeout=Timeout(connect=CONNECT_SECONDS, read=timeout_seconds, write=10.0, pool=5.0),
        limits=Limits(max_connections=connections, max_keepalive_connections=20, keepalive_expiry=15.0),
    )


class Gate(Protocol):
    """Whether a request to a partner (its service id) may go out now; it hears how each one ended."""

    def enter(self, partner: str) -> object:
        """Raises NotSent ("busy", "circuit"). What it gives is handed back to `leave`."""
        ...

    def leave(self, partner: str, entered: object, health: Health) -> None: ...


class OpenGate:
    """Whoever asks goes through."""

    def enter(self, partner: str) -> object:
        return None

    def leave(self, partner: str, entered: object, health: Health) -> None:
        """Nothing to note."""


class BarsClient:
    """Safe to share between threads. A call gives an Answer or raises NotSent, LostReply or TokenRefused.

    A request goes out with a token of the organisation that its own headers name, so that none can bear
    another's.
    """

    def __init__(
        self, *, base_url: str, tokens_of: TokensOf, http: Client, clock: Callable[[], datetime]
    ) -> None:
        self._base_url = base_url.rstrip("/")
        self._tokens_of, self._http, self._clock = tokens_of, http, clock
        self._gate: Gate = OpenGate()
        # A moment of the monotonic clock by which all calls end; None: each has the pool's own timeout.
        self._deadline: float | None = None

    def within(self, seconds: float, *, gate: Gate | None = None) -> "BarsClient":
        """The same client for somebody who waits: all its calls together end within so many seconds.

        It never has more time than the client that it is made of.
        """
        hurried = copy(self)
        deadline = monotonic() + seconds
        hurried._deadline = deadline if self._deadline is None else min(deadline, self._deadline)
        hurried._gate = gate or self._gate
        return hurried

    def get(self, path: str, *, params: Sequence[tuple[str, str]] = (), context: OutgoingContext) -> Answer:
        """Read `path` ("/Slot"), relative to the base URL."""
        partner, headers = context.target.value, encode_headers(context)
        # Who has no time left to ask has learnt nothing of the partner.
        self._seconds_left()
        entered, health = self._gate.enter(partner), Health.UNSAID
        try:
            answer = self._call("GET", path, headers, params=params)
            health = health_of_answer(answer)
        except TransportError as error:
            health = health_of_error(error)
            raise
        finally:
            self._gate.leave(partner, entered, health)
        return answer

    def read(
        self, path: str, *, params: Sequence[tuple[str, str]] = (), headers: Mapping[str, str]
    ) -> Answer:
        """As `get`, for what is asked of the API itself and so has no target: these very headers."""
        return self._call("GET", path, headers, params=params)

    def post(self, path: str, *, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Send these very bytes, with headers of `encode_headers` (a retry repeats both)."""
        return self._call("POST", path, headers, body=body)

    def close(self) -> None:
        self._http.close()

    def _call(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str],
        *,
        params: Sequence[tuple[str, str]] = (),
        body: bytes | None = None,
    ) -> Answer:
        if not _PATH.fullmatch(path):
            # An id of the other side must not become another path or a query.
            raise NotSent("request")
        sent = _with_media_types(headers, has_body=body is not None)
        with (
            correlation.within(headers.get(CORRELATION_ID, "")),
            span("call", method=method, path=_template(path)),
        ):
            tokens = self._tokens_of(organisation_of(sent))
            token = tokens.get(now=self._clock())
            answer = self._send(method, path, sent, params, body, token)
            if not token or not is_about_token(answer):
                return answer
            tokens.discard(token)
            return self._send(method, path, sent, params, body, tokens.get(now=self._clock()))

    def _send(
        self,
        method: str,
        path: str,
        headers: dict[str, str],
        params: Sequence[tuple[str, str]],
        body: bytes | None,
        token: str,
    ) -> Answer:
        if token:
            headers = {**headers, "Authorization": f"Bearer {token}"}
        started, outcome = perf_counter(), "failed"
        seconds = self._seconds_left()
        try:
            answer = send(
                self._http,
                method,
                self._base_url + path,
                headers=headers,
                params=params,
                body=body,
                within_seconds=seconds,
                timeout=self._timeout(seconds),
            )
            outcome = str(answer.status)
        except TransportError as error:
            outcome = error.kind
            raise
        finally:
            CALL_SECONDS.labels(method, _template(path), outcome).observe(perf_counter() - started)
            # Never the URL itself: ids and searches in it can point at a patient.
            logger.info(
                "BaRS %s %s: %s in %d ms, request %s",
                method,
                _template(path),
                outcome,
                milliseconds_since(started),
                headers.get(REQUEST_ID, "-"),
            )
        return answer

    def _seconds_left(self) -> float:
        """For one answer. Raises NotSent when there is no time left to ask."""
        seconds = self._http.timeout.read or ANSWER_SECONDS
        if self._deadline is None:
            return seconds
        left = self._deadline - monotonic()
        if left <= 0:
            raise NotSent("timeout")
        return min(seconds, left)

    def _timeout(self, seconds: float) -> Timeout | None:
        """None: the pool's own."""
        if self._deadline is None:
            return None
        return Timeout(seconds, connect=min(CONNECT_SECONDS, seconds), pool=min(1.0, seconds))


def organisation_of(headers: Mapping[str, str]) -> str:
    """The ODS code that a request says it is from; "" when it names nobody."""
    try:
        found = decode_json(ORGANISATION, headers.get(ORGANISATION), read_organisation)
    except OutcomeError:
        return ""
    return found.ods_code if found else ""


def _template(path: str) -> str:
    """ "/Appointment/<an id>" as "/Appointment/{id}"."""
    first, *ids = path.strip("/").split("/")
    return "/".join(["", first, *("{id}" for _ in ids)])


def _with_media_types(headers: Mapping[str, str], *, has_body: bool) -> dict[str, str]:
    """Our media types, unless the caller names others; a token from elsewhere is never passed on."""
    ours = {"Accept": ACCEPT, "Content-Type": CONTENT_TYPE} if has_body else {"Accept": ACCEPT}
    theirs = {name: value for name, value in headers.items() if name.lower() != "authorization"}
    named = {name.lower() for name in theirs}
    return {**{name: value for name, value in ours.items() if name.lower() not in named}, **theirs}


CATALOGUE_ACCEPT = "application/fhir+json; version=1.4.0"
SERVICES, ENDPOINTS = "/HealthcareService", "/Endpoint"
# Far more than any organisation has services; a catalogue that never ends is broken.
MOST_PAGES = 2_000

Params = Sequence[tuple[str, str]]
Json = dict[str, Any]


class CatalogueUnavailable(Exception):
    """The catalogue did not answer as it should; the message says how, in words for staff."""


class EndpointCatalogue:
    """Reads as `organisation`, whose private addresses are shown to it. Call it outside any transaction."""

    def __init__(self, client: BarsClient, *, organisation: Party) -> None:
        self._client, self._organisation = client, organisation

    def services_of(self, ods_code: str) -> list[Json]:
        """HealthcareService resources that an organisation provides. Raises CatalogueUnavailable."""
        asked = [("HealthcareService.providedBy", f"{ODS_SYSTEM}|{ods_code}")]
        return list(self._search(SERVICES, asked, "HealthcareService"))

    def endpoints_of(self, healthcare_service_id: str) -> list[Json]:
        """Endpoint resources of a HealthcareService, by its id there. Raises CatalogueUnavailable."""
        return list(
            self._search(ENDPOINTS, [("_has:HealthcareService.Id", healthcare_service_id)], "Endpoint")
        )

    def _search(self, path: str, params: Params, kind: str) -> Iterator[Json]:
        seen: set[tuple[tuple[str, str], ...]] = set()
        following: Params | None = params
        while following is not None:
            if tuple(following) in seen:
                raise CatalogueUnavailable(f"The pages of {path} go round in a circle.")
            if len(seen) >= MOST_PAGES:
                raise CatalogueUnavailable(f"There are more than {MOST_PAGES:,} pages of {path}.")
            seen.add(tuple(following))
            page = self._page(path, following)
            resources = [as_dict(entry.get("resource")) for entry in dicts(page.get("entry"))]
            yield from (each for each in resources if each.get("resourceType") == kind)
            following = _next(page, path)

    def _page(self, path: str, params: Params) -> Json:
        headers = {
            REQUEST_ID: str(uuid4()),
            CORRELATION_ID: str(uuid4()),
            ORGANISATION: encode_json(organisation_json(self._organisation)),
            "Accept": CATALOGUE_ACCEPT,
        }
        try:
            answer = self._client.read(path, params=params, headers=headers)
            page = json.loads(answer.body) if answer.is_success else {}
        except TransportError as problem:
            raise CatalogueUnavailable(f"The catalogue could not be asked ({problem.kind}).") from None
        except OutcomeError:
            raise CatalogueUnavailable(f"The answer for {path} is no JSON.") from None
        if not answer.is_success:
            raise CatalogueUnavailable(f"The catalogue answered {answer.status} for {path}.")
        if page.get("resourceType") != "Bundle" or page.get("type") != "searchset":
            raise CatalogueUnavailable(f"The answer for {path} is no searchset.")
        return page


def _next(page: Json, path: str) -> Params | None:
    """The query of the next page. Only the query: whatever host it names, we ask where we asked before."""
    links = [as_text(link.get("url")) for link in dicts(page.get("link")) if link.get("relation") == "next"]
    if not links:
        return None
    try:
        parts = urlsplit(links[0])
    except ValueError:
        raise CatalogueUnavailable(f"The link to the next page of {path} is no address.") from None
    if not parts.path.endswith(path):
        raise CatalogueUnavailable(f"The next page of {path} is somewhere else.")
    return parse_qsl(parts.query, keep_blank_values=True)
