"""Whose address counts: the nearest that no proxy of ours has, whatever stands before it."""

import pytest

from bars_portal.accounts.throttling import nearest_untrusted

PROXIES = ["127.0.0.1", "10.0.0.0/24", "fd00::/8"]


@pytest.mark.parametrize(
    ("remote", "forwarded", "address"),
    [
        ("203.0.113.9", "", "203.0.113.9"),
        ("203.0.113.9", "198.51.100.1", "203.0.113.9"),
        ("10.0.0.7", "198.51.100.1", "198.51.100.1"),
        ("10.0.0.7", "192.0.2.66, 198.51.100.1", "198.51.100.1"),
        ("10.0.0.7", "192.0.2.66, 198.51.100.1, 10.0.0.8", "198.51.100.1"),
        ("10.0.0.7", "", "10.0.0.7"),
        ("10.0.0.7", "somebody", "10.0.0.7"),
        ("10.0.0.7", "198.51.100.1, somebody", "10.0.0.7"),
        ("10.0.0.7", "10.0.0.8", "10.0.0.8"),
        ("10.0.0.7", "198.51.100.1:4711", "198.51.100.1"),
        ("10.0.0.7", "[2001:db8::7]:4711", "2001:db8::7"),
        ("::ffff:10.0.0.7", "::ffff:198.51.100.1", "198.51.100.1"),
        ("fd00::1", "2001:db8::7", "2001:db8::7"),
        ("", "192.0.2.66, 198.51.100.1", "198.51.100.1"),
        ("", "", None),
    ],
)
def test_the_nearest_address_that_is_no_proxys(remote: str, forwarded: str, address: str | None) -> None:
    assert nearest_untrusted(remote, forwarded, trusted=PROXIES) == address
