"""The access tokens that all processes share, and the keys that they are got with (standard section 2)."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock
from time import monotonic
from typing import Any, Protocol
from uuid import UUID, uuid4

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q, QuerySet, Value
from django.db.models.functions import Coalesce

from bars_portal.credentials.environments import ENVIRONMENTS
from bars_portal.exchange.gateway.senders import Sender, sender_of
from bars_portal.exchange.models import AccessToken
from bars_portal.exchange.transport.auth import (
    CLOCK_TOLERANCE,
    NoCredentials,
    NoToken,
    Token,
    TokenEndpoint,
    TokenRefused,
    TokenSource,
)
from bars_portal.exchange.transport.client import build_http
from bars_portal.http import Client, TransportError, client_context
from bars_portal.metrics.figures import TOKEN_RENEWALS
from bars_portal.sealing import Sealer
from bars_portal.sql import let_go_of_connection

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


class Issuer(Protocol):
    """Whoever gives a new token for one signature: transport.auth.TokenEndpoint."""

    def request(self, *, now: datetime) -> Token:
        """Raises TokenRefused."""
        ...


@dataclass(frozen=True)
class FirstThatIsGiven:
    """One issuer after the other: a key that is not registered yet, or not any more, stops nobody.

    Two slow refusals may outlast the lease of whoever renews; then two processes ask, which harms nobody.
    """

    issuers: tuple[Issuer, ...]

    def request(self, *, now: datetime) -> Token:
        """Raises TokenRefused: what the last one said, or that the server does not answer."""
        *first, last = self.issuers
        for issuer in first:
            try:
                return issuer.request(now=now)
            except TokenRefused as refused:
                # A server that does not answer is not asked again.
                if refused.error.startswith("no-answer"):
                    raise
        return last.request(now=now)


def open_http(bars: dict[str, Any], *, connections: int) -> Client:
    return build_http(verify=client_context(ca_file=bars.get("CA_FILE") or None), connections=connections)


def _issuer(sender: Sender, http: Client) -> Issuer:
    """While the key is rotated: the next one, and until that is registered the present one."""
    present = _endpoint(sender, http)
    if not sender.next_key_id:
        return present
    return FirstThatIsGiven((_endpoint(sender, http, following=True), present))


def _endpoint(sender: Sender, http: Client, *, following: bool = False) -> TokenEndpoint:
    return TokenEndpoint(
        http=http,
        url=settings.BARS["TOKEN_URL"],
        api_key=sender.api_key,
        key_id=sender.next_key_id if following else sender.key_id,
        private_key_file=sender.next_private_key_file if following else sender.private_key_file,
    )


class Wallet:
    """Token sources of this process, one for each application that organisations send with."""

    def __init__(self, http: Client) -> None:
        self._http, self._lock = http, Lock()
        # By ODS code, with the moment (monotonic) of the last look at its connection.
        self._known: dict[str, tuple[Sender, float]] = {}
        self._sources: dict[Sender, TokenSource] = {}

    def tokens_of(self, ods_code: str) -> TokenSource:
        """Those of the organisation as it is connected now. Raises NoCredentials."""
        if not ENVIRONMENTS[settings.BARS["ENVIRONMENT"]].needs_token:
            return NoToken()
        sender = self._sender_of(ods_code)
        with self._lock:
            found = self._sources.get(sender)
            if found is None:
                used = {known for known, _ in self._known.values()}
                # What nobody sends with any more is forgotten with its key.
                self._sources = {each: source for each, source in self._sources.items() if each in used}
                found = self._sources[sender] = DatabaseTokenSource(
                    environment=sender.environment,
                    key_id=sender.key_id,
                    holder=sender.holder,
                    issuer=_issuer(sender, self._http),
                )
        return found

    def _sender_of(self, ods_code: str) -> Sender:
        if not ods_code:
            raise NoCredentials("no-organisation")
        with self._lock:
            sender, looked_at = self._known.get(ods_code, (None, 0.0))
        if sender is not None and monotonic() < looked_at + LOOKS_EVERY_SECONDS:
            return sender
        try:
            sender = sender_of(ods_code)
        except NoCredentials:
            with self._lock:
                self._known.pop(ods_code, None)
            raise
        finally:
            # The network comes next.
            let_go_of_connection()
        with self._lock:
            self._known[ods_code] = sender, monotonic()
        return sender


@dataclass(frozen=True)
class TokenTrial:
    """What the token server said to one key. `server_ahead`: how far its clock is ahead of ours."""

    refused: TokenRefused | None
    server_ahead: timedelta


def try_key(sender: Sender, *, now: datetime, following: bool = False) -> TokenTrial:
    """Ask for a token past the stored one, which stays: for whoever proves that a key is registered.

    `following`: with the next key. Outside any transaction.
    """
    http = open_http(settings.BARS, connections=1)
    try:
        endpoint = _endpoint(sender, http, following=following)
        refused = None
        try:
            endpoint.request(now=now)
        except TokenRefused as refusal:
            refused = refusal
        return TokenTrial(refused, endpoint.server_ahead)
    finally:
        http.close()


def _stored_tokens() -> QuerySet[AccessToken]:
    return AccessToken.objects.filter(environment=settings.BARS["ENVIRONMENT"], ciphertext__isnull=False)


def stored_token_is_readable() -> bool:
    """False when it was sealed under another SECRET_KEY."""
    return all(_unseal(row) is not None for row in _stored_tokens())


def forget_unreadable_token() -> None:
    for row in _stored_tokens():
        if _unseal(row) is None:
            AccessToken.objects.filter(pk=row.pk, generation=row.generation).update(
                ciphertext=None, expires_at=None
            )


@dataclass(frozen=True, repr=False)
class _Held:
    """A decrypted token of one generation of the row."""

    generation: int
    token: str
    renew_at: datetime


class DatabaseTokenSource:
    """TokenSource over AccessToken, one row per environment, key and application, for threads and processes.

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
        holder: str = "",
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._key = {"environment": environment, "key_id": key_id, "holder": holder}
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
        row = AccessToken.objects.filter(**self._key).first()
        if row is None:
            AccessToken.objects.bulk_create([AccessToken(**self._key)], ignore_conflicts=True)
            row = AccessToken.objects.get(**self._key)
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
    """How far the token server's clock is ahead of ours, when a token was last asked for; 0: not at all.

    Behind is negative. A difference that nothing can be concluded from is none.
    """
    told = AccessToken.objects.filter(environment=settings.BARS["ENVIRONMENT"], server_ahead__isnull=False)
    latest = told.order_by(F("expires_at").desc(nulls_last=True))
    ahead = latest.values_list("server_ahead", flat=True).first() or 0
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
