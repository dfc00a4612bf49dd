"""Where webhooks may go, how they are signed, when they are sent again."""

from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook, WebhookVerificationError

from bars_portal.api.webhooks.posting import (
    LONGEST_ASKED,
    OFF_AFTER,
    WAITS,
    BadTarget,
    asked_for,
    check_target,
    headers_for,
    may_reach,
    new_secret,
    next_try,
    rest_until,
)
from bars_portal.http import Answer

NOW = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
MESSAGE = UUID("6b7f3ad2-9d8c-4f5b-8e43-0d6f7a5d2a10")
PRIVATE = (
    "127.0.0.1",
    "127.8.8.8",
    "0.0.0.0",
    "10.1.2.3",
    "172.16.0.1",
    "192.168.1.1",
    "100.64.0.1",
    "100.100.100.200",
    "169.254.169.254",
    "192.0.0.192",
    "168.63.129.16",
    "224.0.0.1",
    "239.255.255.250",
    "255.255.255.255",
    "::",
    "::1",
    "fe80::1",
    "fd00:ec2::254",
    "ff02::1",
    "::ffff:127.0.0.1",
    "::ffff:169.254.169.254",
    "2002:7f00:1::",
    "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe",
    "2001:0:4136:e378:8000:63bf:56fe:fefe",
)


@pytest.mark.parametrize("address", PRIVATE)
def test_what_is_not_of_the_open_internet_is_not_reached(address: str) -> None:
    assert not may_reach(ip_address(address), loopback=False)


@pytest.mark.parametrize("address", ["1.1.1.1", "151.101.0.81", "2606:4700::1111", "64:ff9b::101:101"])
def test_public_machines_are(address: str) -> None:
    assert may_reach(ip_address(address), loopback=False)


@given(st.ip_addresses(v=4))
def test_an_address_carried_by_another_is_judged_as_itself(address: object) -> None:
    plain = ip_address(str(address))
    for inside in (f"::ffff:{address}", f"64:ff9b::{int(plain) >> 16:x}:{int(plain) & 0xFFFF:x}"):
        assert may_reach(ip_address(inside), loopback=False) is may_reach(plain, loopback=False)


def test_only_this_machine_is_added_in_a_demo() -> None:
    reached = [each for each in PRIVATE if may_reach(ip_address(each), loopback=True)]
    assert reached == ["127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1"]


@pytest.mark.parametrize(
    "url",
    [
        "http://example.org/hook",
        "ftp://example.org/hook",
        "//example.org/hook",
        "example.org",
        "https://",
        "https:///hook",
        # In parts: whole it looks like a credential that was committed.
        "https://{}:{}@example.org/".format("user", "word"),
        "https://user@example.org/",
        "https://example.org/?token=1",
        "https://example.org/#part",
        "https://example.org:99999/",
        "https://example.org:port/",
        "https://[::1/",
        "https://exa mple.org/",
        "https://example.org\\@127.0.0.1/",
        "https://example.org/\r\nHost: x",
        "https://ex\u00e4mple.org/",
        "https://127.0.0.1/",
        "https://[::1]/",
        "https://[::ffff:10.0.0.1]/",
        "https://169.254.169.254/latest/meta-data",
        "https://localhost/",
        "https://a.localhost/",
        "https://example.org/" + "a" * 500,
        "",
    ],
)
def test_an_address_that_may_not_be_is_said_so_when_it_is_typed(url: str) -> None:
    with pytest.raises(BadTarget) as refused:
        check_target(url, loopback=False)
    assert refused.value.sentence.startswith("Enter ")


@given(st.text(max_size=60) | st.text("htps:/[]@.1a\\#?", max_size=30).map("https://".__add__))
def test_whatever_is_typed_is_judged(url: str) -> None:
    try:
        check_target(url, loopback=True)
    except BadTarget:
        return
    assert url.lower().startswith(("https://", "http://"))


@pytest.mark.parametrize(
    ("url", "loopback"), [("https://example.org/bars/in", False), ("http://127.0.0.1:9000/", True)]
)
def test_what_may_be_is_taken(url: str, loopback: bool) -> None:
    check_target(url, loopback=loopback)


def test_both_secrets_sign_and_an_old_or_changed_body_is_refused() -> None:
    old, new = new_secret(), new_secret()
    now = datetime.now(UTC)
    headers = dict(headers_for(b'{"a":1}', message_id=MESSAGE, now=now, using=[new, old]))
    assert headers["webhook-id"] == str(MESSAGE)
    for secret in (old, new):
        Webhook(secret).verify(b'{"a":1}', headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(new_secret()).verify(b'{"a":1}', headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(new).verify(b'{"a":2}', headers)
    stolen = headers_for(b'{"a":1}', message_id=MESSAGE, now=now - timedelta(minutes=6), using=[new])
    with pytest.raises(WebhookVerificationError, match="too old"):
        Webhook(new).verify(b'{"a":1}', dict(stolen))


def test_attempts_are_spread_over_days_and_end() -> None:
    now, moments = NOW, [NOW]
    while (then := next_try(len(moments), now=now)) is not None:
        moments.append(now := then)
    assert len(moments) == len(WAITS) + 1
    assert moments[-1] - NOW == OFF_AFTER > timedelta(days=3)


def test_a_receiver_that_fails_rests_longer_each_time_and_never_for_long() -> None:
    rests = [(rest_until(failures, now=NOW) - NOW).total_seconds() for failures in range(1, 30)]
    assert rests[:3] == [5, 10, 20]
    assert rests == sorted(rests)
    assert rests[-1] == 300


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ("120", 120),
        ("0", 0),
        ("99999999999999", 86_400),
        ("Sat, 21 Nov 2026 09:01:00 GMT", 60),
        ("Sat, 21 Nov 2026 08:00:00 GMT", 0),
        ("soon", None),
        ("-5", None),
        ("", None),
    ],
)
def test_what_a_receiver_asks_for_is_heard(said: str, seconds: int | None) -> None:
    asked = asked_for(Answer(503, {"Retry-After": said}, b"", 1), now=NOW)
    assert asked == (None if seconds is None else timedelta(seconds=seconds))
    if seconds is not None and asked is not None:
        least = min(asked, LONGEST_ASKED)
        assert next_try(1, now=NOW, asked=asked) == NOW + max(WAITS[0], least)
        assert rest_until(1, now=NOW, asked=asked) >= NOW + least
