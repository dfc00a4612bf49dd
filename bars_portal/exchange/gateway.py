"""The one BaRS client of this process, who we say we are, and the access token that all processes share."""

import atexit
import os
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta
from time import monotonic
from typing import Any, Protocol, cast
from uuid import UUID, uuid4

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q, Value
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from django.utils import timezone

from bars_portal.exchange import circuits
from bars_portal.exchange.circuits import Admission
from bars_portal.exchange.models import AccessToken
from bars_portal.exchange.transport.auth import (
    CLOCK_TOLERANCE,
    NoToken,
    Token,
    TokenEndpoint,
    TokenRefused,
    TokenSource,
)
from bars_portal.exchange.transport.client import BarsClient, build_http
from bars_portal.exchange.transport.headers import Party, Software
from bars_portal.exchange.transport.judgement import Health
from bars_portal.http import NotSent, TransportError, client_context
from bars_portal.metrics.figures import TOKEN_RENEWALS
from bars_portal.sealing import Sealer
from bars_portal.sql import database_time, let_go_of_connection

# Longer than a token request can last (transport.auth.REQUEST_SECONDS), after one that was refused quickly.
LEASE = timedelta(seconds=10)
# Renewed this long before it expires, so that no request travels with a token that dies on the way.
MARGIN = timedelta(seconds=60)
WAIT_SECONDS = 12.0
POLL_SECONDS = 0.05
# So long a token is sent without another look at its row. One that another process has found refused
# meanwhile is answered with 401 once more, and renewed as ever.
LOOKS_EVERY_SECONDS = 1.0
# Access tokens are short secrets: unreadable in the database.
_SEALER = Sealer("bars_portal.exchange access token")


# Who finds as many as may be under way to a partner waits so long for one of them to end.
TURN_SECONDS = 0.3


class PageGate:
    """Turns at each partner, and the circuit that all processes share."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._turns: dict[str, threading.BoundedSemaphore] = {}

    def enter(self, partner: str) -> object:
        with self._lock:
            turns = self._turns.setdefault(partner, threading.BoundedSemaphore(settings.BARS_PARTNER_LIMIT))
        if not turns.acquire(timeout=TURN_SECONDS):
            raise NotSent("busy")
        with ExitStack() as turn:
            turn.callback(turns.release)
            admission = circuits.admit(partner, now=database_time())
            if admission is Admission.REFUSED:
                raise NotSent("circuit")
            # It lasts until `leave`.
            turn.pop_all()
        let_go_of_connection()
        return turns, admission

    def leave(self, partner: str, entered: object, health: Health) -> None:
        turns, admission = cast(tuple[threading.BoundedSemaphore, Admission], entered)
        turns.release()
        circuits.note(partner, health, admission, now=database_time())


class _Process:
    """What this process holds: the client, and the settings that it was built from."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.config: dict[str, Any] | None = None
        self.client: BarsClient | None = None
        self.gate = PageGate()

    def close(self) -> None:
        if self.client:
            self.client.close()
        self.client = None


_process = _Process()


def get_client() -> BarsClient:
    """The client, built at the first call and again when settings.BARS changes; for any thread."""
    with _process.lock:
        if _process.client is None or _process.config != settings.BARS:
            _process.close()
            _process.config, _process.client = dict(settings.BARS), _build(settings.BARS)
        return _process.client


# By then a page is shown, with whatever was answered.
PAGE_SECONDS = 8.0


def client_for_page(request: HttpRequest) -> BarsClient:
    """The client for a person who waits: whatever one page asks is over within PAGE_SECONDS altogether.

    So many requests at once as BARS_PARTNER_LIMIT go from this process to one partner, and none to one that
    is spared (exchange.circuits): whoever would be one more is told at once that it does not answer.
    """
    held: BarsClient | None = getattr(request, "bars_client", None)
    if held is None:
        held = get_client().within(PAGE_SECONDS, gate=_process.gate)
        request.bars_client = held  # type: ignore[attr-defined]  # of this request only
    return held


def own_software() -> Software:
    """This product, for NHSD-Requesting-Software and the message header."""
    bars = settings.BARS
    return Software(bars["SOFTWARE_IDENTIFIER"], bars["SOFTWARE_NAME"], bars["SOFTWARE_VERSION"])


def own_organisation() -> Party:
    """The organisation that runs this portal, for calls that nobody in particular makes."""
    return Party(settings.BARS["ODS_CODE"], settings.BARS["ORGANISATION_NAME"])


def _build(bars: dict[str, Any]) -> BarsClient:
    # A connection for whoever sends, and some for those who ask.
    connections = settings.BARS_SENDERS + 20
    http = build_http(verify=client_context(ca_file=bars.get("CA_FILE") or None), connections=connections)
    endpoint = TokenEndpoint(
        http=http,
        url=bars["TOKEN_URL"],
        api_key=bars["API_KEY"],
        key_id=bars["KEY_ID"],
        private_key_file=bars["PRIVATE_KEY_FILE"],
    )
    tokens = _token_source(bars, endpoint)
    return BarsClient(base_url=bars["BASE_URL"], tokens=tokens, http=http, clock=timezone.now)


def _token_source(bars: dict[str, Any], endpoint: TokenEndpoint) -> TokenSource:
    if bars["ENVIRONMENT"] == "sandbox":
        return NoToken()
    return DatabaseTokenSource(environment=bars["ENVIRONMENT"], key_id=bars["KEY_ID"], issuer=endpoint)


def _forget() -> None:
    """A forked child shares its parent's sockets and perhaps a locked lock: it starts with nothing."""
    global _process
    _process = _Process()


def _close() -> None:
    _process.close()


os.register_at_fork(after_in_child=_forget)
atexit.register(_close)


# -- the access token


class Issuer(Protocol):
    """Whoever gives a new token for one signature: transport.auth.TokenEndpoint."""

    def request(self, *, now: datetime) -> Token:
        """Raises TokenRefused."""
        ...


@dataclass(frozen=True, repr=False)
class _Held:
    """A decrypted token of one generation of the row."""

    generation: int
    token: str
    renew_at: datetime


class DatabaseTokenSource:
    """TokenSource over AccessToken, one row per environment and key, for threads and processes.

    One of them renews it: a conditional UPDATE claims a short lease, signing and the call happen outside any
    transaction, the result is written back encrypted; the others wait by polling. The lease of a dead holder
    ends by itself. Inside a transaction it refuses to renew.
    """

    def __init__(
        self,
        *,
        environment: str,
        key_id: str,
        issuer: Issuer,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._environment, self._key_id = environment, key_id
        self._issuer, self._sleep = issuer, sleep
        self._held: _Held | None = None
        self._looked_at = float("-inf")

    def get(self, *, now: datetime) -> str:
        """The current token, renewed a minute before it expires; meanwhile the others use the old one.

        Raises TokenRefused: the issuer's refusal, or "renewal-failed" or "renewal-slow" for those who waited.
        """
        held = self._held
        if held and now < held.renew_at and monotonic() < self._looked_at + LOOKS_EVERY_SECONDS:
            return held.token
        row, waited = self._row(), 0.0
        first_generation = row.generation
        while waited <= WAIT_SECONDS:
            token = self._token_of(row, first_generation, now + timedelta(seconds=waited))
            if token is not None:
                return token
            self._sleep(POLL_SECONDS)
            waited += POLL_SECONDS
            row = self._row()
        raise TokenRefused("renewal-slow")

    def discard(self, token: str) -> None:
        """Drop the stored token if it is still this one, so that many answers 401 cause one renewal."""
        self._looked_at = float("-inf")
        row = self._row()
        held = self._read(row)
        if held and held.token == token:
            AccessToken.objects.filter(pk=row.pk, generation=row.generation).update(
                ciphertext=None, expires_at=None
            )

    def _token_of(self, row: AccessToken, first_generation: int, now: datetime) -> str | None:
        """The row's token, or a new one if the lease is ours; None while another holds the lease."""
        held = self._read(row)
        if held and now < held.renew_at:
            self._looked_at = monotonic()
            return held.token
        has_ended = row.generation != first_generation
        if not has_ended and (holder := _claim(row, now)):
            return self._renew(row, holder, now)
        if held and _is_alive(row, now):
            return held.token
        if has_ended:
            # One failed signing answers all who waited for it.
            raise TokenRefused("renewal-failed")
        return None

    def _row(self) -> AccessToken:
        key = {"environment": self._environment, "key_id": self._key_id}
        row = AccessToken.objects.filter(**key).first()
        if row is None:
            AccessToken.objects.bulk_create([AccessToken(**key)], ignore_conflicts=True)
            row = AccessToken.objects.get(**key)
        return row

    def _read(self, row: AccessToken) -> _Held | None:
        """The row's token; the one in memory counts only while the row still has that generation."""
        if row.ciphertext is None:
            return None
        held = self._held
        if held is None or held.generation != row.generation:
            self._held = held = _unseal(row)
        return held

    def _renew(self, row: AccessToken, holder: UUID, now: datetime) -> str:
        try:
            token = self._issuer.request(now=now)
        except TransportError:
            TOKEN_RENEWALS.labels("failed").inc()
            _finish(row, holder, failing_since=Coalesce(F("failing_since"), Value(now)))
            held = self._read(row)
            if held and _is_alive(row, now):
                return held.token
            raise
        ahead = None if token.server_ahead is None else round(token.server_ahead.total_seconds())
        TOKEN_RENEWALS.labels("renewed").inc()
        _finish(
            row,
            holder,
            ciphertext=_seal(token, now),
            expires_at=token.expires_at,
            server_ahead=ahead,
            failing_since=None,
        )
        return token.access_token


def server_ahead_seconds() -> int:
    """How far the token server's clock is ahead of ours, when the current token was asked for; 0: not at all.

    Behind is negative. A difference that nothing can be concluded from is none.
    """
    key = {"environment": settings.BARS["ENVIRONMENT"], "key_id": settings.BARS["KEY_ID"]}
    ahead = AccessToken.objects.filter(**key).values_list("server_ahead", flat=True).first() or 0
    return ahead if abs(ahead) > CLOCK_TOLERANCE.total_seconds() else 0


def _claim(row: AccessToken, now: datetime) -> UUID | None:
    """Our lease on renewing exactly this generation; None when another holds it or has already renewed."""
    holder = uuid4()
    is_free = Q(lease_until=None) | Q(lease_until__lte=now)
    # Durable: inside a caller's transaction nobody would see the lease, and the network must not wait in it.
    with transaction.atomic(durable=True):
        claimed = AccessToken.objects.filter(is_free, pk=row.pk, generation=row.generation).update(
            lease_until=now + LEASE, lease_holder=holder
        )
    return holder if claimed else None


def _finish(row: AccessToken, holder: UUID, **changes: Any) -> None:
    """End our lease with a new generation; nothing happens when the lease was taken over meanwhile."""
    AccessToken.objects.filter(pk=row.pk, lease_holder=holder).update(
        lease_until=None, lease_holder=None, generation=F("generation") + 1, **changes
    )


def _is_alive(row: AccessToken, now: datetime) -> bool:
    return row.expires_at is not None and now < row.expires_at


def _seal(token: Token, now: datetime) -> bytes:
    # A token that lives less than two minutes is used for half of its life.
    renew_at = token.expires_at - min(MARGIN, (token.expires_at - now) / 2)
    return _SEALER.seal(f"{renew_at.isoformat()} {token.access_token}".encode())


def _unseal(row: AccessToken) -> _Held | None:
    secret = _SEALER.unseal(bytes(row.ciphertext or b""))
    if secret is None:
        return None
    renew_at, token = secret.decode().split(" ", 1)
    return _Held(row.generation, token, datetime.fromisoformat(renew_at))


# The one BaRS client of this process, built from settings.BARS, and who we say we are in its headers.
