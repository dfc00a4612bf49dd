"""What a post to a webhook must be: where it may go, how it is signed, and when it is sent again. Pure.

A portal that posts wherever a stranger says is a way into its own network: so nothing private is reached, by
whatever name (docs/adr/0053). Signatures are those of Standard Webhooks 1.0 (standardwebhooks.com): what a
receiver checks before it believes.
"""

import secrets
from base64 import b64encode
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from urllib.parse import SplitResult, urlsplit
from uuid import UUID

from standardwebhooks import Webhook

from bars_portal.guarded_http import IPAddress
from bars_portal.http import Answer, http_date

LONGEST_URL = 500
# What is of no use across the open internet (IANA's registries of special-purpose addresses), as data: the
# lists of Python's own module change with its version. And one that is public by its number, and answered by
# the machine's own cloud: Azure's metadata and DNS.
_SPECIAL = tuple(
    map(
        ip_network,
        (
            *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12"),
            *("192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15"),
            *("198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4", "168.63.129.16/32"),
            # Of the space below: protocols (Teredo), documentation, and 6to4, which carries any IPv4 address.
            *("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"),
        ),
    )
)
_GLOBAL_IPV6 = ip_network("2000::/3")
# NAT64 (RFC 6052): an IPv4 address in the last 32 bits.
_TRANSLATED = ip_network("64:ff9b::/96")


class BadTarget(ValueError):
    """`sentence` says to the owner what to change."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


def check_target(url: str, *, loopback: bool) -> None:
    """By its looks alone; what the name stands for is judged each time that something is sent.

    With `loopback` (demo and tests) http is taken for this machine. Raises BadTarget.
    """
    parts = _split(url)
    host = parts.hostname or ""
    if parts.scheme != "https" and not (loopback and parts.scheme == "http" and _is_here(host)):
        raise BadTarget("Enter an address that starts with https://")
    if not host or parts.username is not None or parts.password is not None:
        raise BadTarget("Enter an address with a host name, without user name and password")
    if parts.query or parts.fragment:
        raise BadTarget("Enter an address without ? and #: what comes is proven by its signature")
    literal = _literal(host)
    if literal is not None and not may_reach(literal, loopback=loopback):
        raise BadTarget("Enter an address that can be reached from anywhere: this one is private")
    if _is_here(host) and not loopback:
        raise BadTarget("Enter an address that can be reached from anywhere: this one is private")


def may_reach(address: IPAddress, *, loopback: bool) -> bool:
    """Whether it is a machine of the open internet; with `loopback` this one too.

    An IPv4 address that an IPv6 address carries (mapped, NAT64) is judged as itself.
    """
    if isinstance(address, IPv6Address):
        inner = address.ipv4_mapped
        if address in _TRANSLATED:
            inner = IPv4Address(int(address) & 0xFFFF_FFFF)
        if inner is not None:
            return may_reach(inner, loopback=loopback)
    if address.is_loopback:
        return loopback
    is_unicast = address.version == 4 or address in _GLOBAL_IPV6
    return is_unicast and not any(address in network for network in _SPECIAL)


def _split(url: str) -> SplitResult:
    if len(url) > LONGEST_URL or not url.isascii() or any(each <= " " or each == "\\" for each in url):
        raise BadTarget(f"Enter an address of at most {LONGEST_URL} plain characters, without spaces")
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018 - reading it is what judges it
    except ValueError:
        raise BadTarget("Enter a whole address, such as https://example.org/bars") from None
    return parts


def _literal(host: str) -> IPAddress | None:
    try:
        return ip_address(host)
    except ValueError:
        return None


def _is_here(host: str) -> bool:
    literal = _literal(host)
    return host == "localhost" or host.endswith(".localhost") or (literal is not None and literal.is_loopback)


_KEY_PREFIX, _KEY_BYTES = "whsec_", 32
ID, TIMESTAMP, SIGNATURE = "webhook-id", "webhook-timestamp", "webhook-signature"


def new_secret() -> str:
    """As the specification writes them: `whsec_` and base64."""
    return _KEY_PREFIX + b64encode(secrets.token_bytes(_KEY_BYTES)).decode("ascii")


def headers_for(body: bytes, *, message_id: UUID, now: datetime, using: Iterable[str]) -> Mapping[str, str]:
    """The three headers, with one signature for each secret.

    `message_id` is the same on every attempt, `now` the moment of this one: receivers refuse what is old.
    """
    at, text = now.astimezone(UTC), body.decode("utf-8")
    signatures = [Webhook(secret).sign(str(message_id), at, text) for secret in using]
    return {ID: str(message_id), TIMESTAMP: str(int(at.timestamp())), SIGNATURE: " ".join(signatures)}


_M, _H = timedelta(minutes=1), timedelta(hours=1)
# After the first attempt, the second, ...: three and a half days, so that a weekend is survived.
WAITS = (
    timedelta(seconds=5),
    timedelta(seconds=30),
    5 * _M,
    30 * _M,
    2 * _H,
    5 * _H,
    10 * _H,
    14 * _H,
    20 * _H,
    24 * _H,
    8 * _H,
)
# A receiver that has taken nothing for so long is switched off.
OFF_AFTER: timedelta = sum(WAITS, timedelta())
# A receiver that fails rests so long before anything else goes there: longer each time, never for long.
_FIRST_REST, LONGEST_REST = timedelta(seconds=5), 5 * _M
LONGEST_ASKED = 24 * _H
GONE = 410


def next_try(tries: int, *, now: datetime, asked: timedelta | None = None) -> datetime | None:
    """After so many attempts; None: that was the last. What a receiver `asked` for counts when longer."""
    if tries > len(WAITS):
        return None
    return now + max(WAITS[tries - 1], min(asked or timedelta(), LONGEST_ASKED))


def rest_until(failures: int, *, now: datetime, asked: timedelta | None = None) -> datetime:
    """Until when nothing goes to a receiver that has failed so many times running."""
    doublings: int = 2 ** min(failures - 1, 10)
    rest = min(_FIRST_REST * doublings, LONGEST_REST)
    return now + max(rest, min(asked or timedelta(), LONGEST_ASKED))


def asked_for(answer: Answer, *, now: datetime) -> timedelta | None:
    """Retry-After in seconds or as a date (RFC 9110 section 10.2.3); None: it says nothing usable."""
    said = (answer.header("retry-after") or "").strip()
    if said.isascii() and said.isdigit():
        return min(timedelta(seconds=int(said[:9])), LONGEST_ASKED)
    moment = http_date(said) if said else None
    return max(moment - now, timedelta()) if moment else None
