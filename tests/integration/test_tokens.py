"""The shared access token on a real PostgreSQL: one signing for one expiry, however many ask."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Barrier
from uuid import uuid4

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from django.db import connection, transaction
from django.db.models import F
from pytest_django import Settings

from bars_portal.exchange.gateway.tokens import LEASE, LOOKS_EVERY_SECONDS, DatabaseTokenSource
from bars_portal.exchange.models import AccessToken
from bars_portal.exchange.transport.auth import Token, TokenEndpoint, TokenRefused
from bars_portal.exchange.transport.client import build_http
from tests.unit.exchange_transport.servers import Server, reply, serving

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 7, 14, 12, 0, tzinfo=UTC)
THREADS = 20


class Counting:
    """An issuer that numbers its tokens: the number is how often was signed."""

    def __init__(self, *, life: timedelta = timedelta(seconds=599)) -> None:
        self.life, self.asked_at = life, list[datetime]()

    def request(self, *, now: datetime) -> Token:
        self.asked_at.append(now)
        return Token(f"token-{len(self.asked_at)}", now + self.life)


class Crash(BaseException):
    """The process dies in the middle of a renewal."""


class Dying(Counting):
    def request(self, *, now: datetime) -> Token:
        raise Crash


class Refusing(Counting):
    def request(self, *, now: datetime) -> Token:
        super().request(now=now)
        raise TokenRefused("invalid_client")


def no_sleep(_: float) -> None:
    """Polling without waiting: the source counts the time itself."""


def source(issuer: Counting, sleep: Callable[[float], None] = no_sleep) -> DatabaseTokenSource:
    """As another process would have it: with a memory of its own."""
    return DatabaseTokenSource(environment="int", key_id="Us-INT-1", issuer=issuer, sleep=sleep)


def at_once(work: Callable[[], str]) -> list[str]:
    """The results of THREADS threads that start together, each with its own database connection."""
    start = Barrier(THREADS)

    def run(_: int) -> str:
        try:
            start.wait(10)
            return work()
        finally:
            connection.close()

    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(run, range(THREADS)))


@pytest.fixture
def key_file(tmp_path: Path) -> str:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    path = tmp_path / "key.pem"
    path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return str(path)


def issue(server: Server, token: str) -> None:
    server.script(reply(200, json.dumps({"access_token": token, "expires_in": "599"}).encode()))


@pytest.mark.django_db(transaction=True)
def test_twenty_threads_and_two_processes_sign_once_and_once_more_after_twenty_401(key_file: str) -> None:
    with serving() as server, build_http(timeout_seconds=5, verify=False) as http:
        endpoint = TokenEndpoint(http, server.url, "api", "Us-INT-1", key_file)
        processes = [
            DatabaseTokenSource(environment="int", key_id="Us-INT-1", issuer=endpoint) for _ in range(2)
        ]
        turns = iter(range(1000))

        def get() -> str:
            return processes[next(turns) % 2].get(now=NOW)

        def refused_then_get() -> str:
            process = processes[next(turns) % 2]
            process.discard("first")
            return process.get(now=NOW)

        issue(server, "first")
        assert set(at_once(get)) == {"first"}
        assert len(server.received) == 1

        issue(server, "second")
        assert set(at_once(refused_then_get)) == {"second"}
        assert len(server.received) == 2


def test_another_key_or_environment_has_its_own_token() -> None:
    issuer = Counting()
    for environment, key_id in [("int", "a"), ("int", "b"), ("prod", "a"), ("int", "a")]:
        DatabaseTokenSource(environment=environment, key_id=key_id, issuer=issuer).get(now=NOW)
    assert len(issuer.asked_at) == 3


@pytest.mark.parametrize(
    ("life", "later", "signings"),
    [(599, 538, 1), (599, 540, 2), (599, 700, 2), (90, 44, 1), (90, 46, 2), (30, 14, 1), (0, 1, 2)],
)
def test_renewed_a_minute_before_it_expires_or_at_half_of_a_short_life(
    life: int, later: int, signings: int
) -> None:
    issuer = Counting(life=timedelta(seconds=life))
    source(issuer).get(now=NOW)
    assert source(issuer).get(now=NOW + timedelta(seconds=later)) == f"token-{signings}"


def test_while_one_renews_early_the_others_use_the_old_token() -> None:
    issuer = Counting()
    process = source(issuer)
    process.get(now=NOW)
    soon = NOW + timedelta(seconds=560)
    lease(until=soon + LEASE)
    assert process.get(now=soon) == "token-1"


def lease(*, until: datetime) -> None:
    """Another process is renewing."""
    row, _ = AccessToken.objects.get_or_create(environment="int", key_id="Us-INT-1")
    AccessToken.objects.filter(pk=row.pk).update(lease_until=until, lease_holder=uuid4())


def test_when_the_holder_dies_another_takes_over_as_its_lease_ends() -> None:
    with pytest.raises(Crash):
        source(Dying()).get(now=NOW)
    issuer = Counting()
    assert source(issuer).get(now=NOW) == "token-1"
    assert LEASE <= issuer.asked_at[0] - NOW < LEASE + timedelta(seconds=1)


def test_who_read_the_row_before_a_renewal_and_claims_after_it_does_not_sign() -> None:
    issuer = Counting()
    quick = source(issuer)

    class Late(DatabaseTokenSource):
        def _token_of(self, row: AccessToken, first_generation: int, now: datetime) -> str | None:
            quick.get(now=now)
            return super()._token_of(row, first_generation, now)

    late = Late(environment="int", key_id="Us-INT-1", issuer=issuer, sleep=no_sleep)
    assert late.get(now=NOW) == "token-1"
    assert len(issuer.asked_at) == 1


def test_nobody_waits_for_ever() -> None:
    lease(until=NOW + timedelta(hours=1))
    issuer = Counting()
    with pytest.raises(TokenRefused) as raised:
        source(issuer).get(now=NOW)
    assert raised.value.error == "renewal-slow"
    assert not issuer.asked_at


def test_a_holder_that_was_replaced_leaves_the_newer_token_alone() -> None:
    quick = source(Counting())

    class Slow(Counting):
        def request(self, *, now: datetime) -> Token:
            assert quick.get(now=now + LEASE) == "token-1"
            return Token("late", now + self.life)

    assert source(Slow()).get(now=NOW) == "late"
    assert source(Counting()).get(now=NOW) == "token-1"
    assert AccessToken.objects.get().lease_holder is None


def test_a_refusal_frees_the_lease_and_the_next_caller_tries_again() -> None:
    refusing = Refusing()
    for _ in range(2):
        with pytest.raises(TokenRefused) as raised:
            source(refusing).get(now=NOW)
        assert raised.value.error == "invalid_client"
    assert len(refusing.asked_at) == 2
    assert source(Counting()).get(now=NOW) == "token-1"


def test_those_who_waited_for_a_refusal_do_not_sign_too() -> None:
    lease(until=NOW + LEASE)

    def holder_is_refused(_: float) -> None:
        AccessToken.objects.update(lease_until=None, lease_holder=None, generation=F("generation") + 1)

    issuer = Counting()
    with pytest.raises(TokenRefused) as raised:
        source(issuer, holder_is_refused).get(now=NOW)
    assert raised.value.error == "renewal-failed"
    assert not issuer.asked_at


def test_an_early_renewal_that_is_refused_keeps_the_living_token() -> None:
    source(Counting()).get(now=NOW)
    assert source(Refusing()).get(now=NOW + timedelta(seconds=560)) == "token-1"
    with pytest.raises(TokenRefused):
        source(Refusing()).get(now=NOW + timedelta(seconds=599))


def test_a_discard_in_one_process_counts_in_all() -> None:
    issuer = Counting()
    one, other = source(issuer), source(issuer)
    assert one.get(now=NOW) == other.get(now=NOW) == "token-1"
    one.discard("token-1")
    assert other.get(now=NOW) == "token-1", "it has looked less than a second ago"
    other._looked_at -= LOOKS_EVERY_SECONDS
    assert other.get(now=NOW) == one.get(now=NOW) == "token-2"


@pytest.mark.parametrize("token", ["token-1", "", "never seen"])
def test_only_the_stored_token_can_be_discarded(token: str) -> None:
    issuer = Counting()
    process = source(issuer)
    process.discard(process.get(now=NOW))
    assert process.get(now=NOW) == "token-2"
    process.discard(token)
    assert process.get(now=NOW) == "token-2"


def test_the_database_holds_no_readable_token() -> None:
    source(Counting()).get(now=NOW)
    with connection.cursor() as cursor:
        cursor.execute("SELECT convert_from(ciphertext, 'UTF8') FROM exchange_accesstoken")
        (stored,) = cursor.fetchone()
    assert "token-1" not in stored
    assert "token" not in repr(vars(AccessToken.objects.get()))


def test_a_changed_secret_key_means_a_new_token(settings: Settings) -> None:
    issuer = Counting()
    source(issuer).get(now=NOW)
    settings.SECRET_KEY = "another-secret-of-at-least-fifty-characters-in-length"
    source(issuer).discard("token-1")
    assert source(issuer).get(now=NOW) == "token-2"


def test_it_does_not_renew_inside_a_transaction() -> None:
    issuer = Counting()
    with transaction.atomic(), pytest.raises(RuntimeError, match="durable"):
        source(issuer).get(now=NOW)
    assert not issuer.asked_at
