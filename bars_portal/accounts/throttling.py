"""How often somebody may try a password: each person, each address, and many names from one address.

Counting is django-axes'; the limits of the ways, which it has one of only, and the address are ours.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from ipaddress import IPv6Address, ip_address, ip_network

from axes.handlers.database import AxesDatabaseHandler
from axes.models import AccessAttempt
from django.conf import settings
from django.db.models import Count, Max, QuerySet, Sum
from django.http import HttpRequest
from django.utils.crypto import salted_hmac

from bars_portal.accounts.acting import user_called

# Of one person's names from one address, of one person from everywhere, of one address with any names. In the
# order of settings.AXES_LOCKOUT_PARAMETERS; a hospital may stand behind one address.
LIMITS = (5, 20, 100)
# So many names from one address are no slip of a hand: from there on, one attempt in so many seconds.
MANY_NAMES = 10
SLOWED_SECONDS = 10
# An address of IPv6 costs nothing, its network does.
_IPV6_NETWORK = 64


class Throttle(AxesDatabaseHandler):  # type: ignore[misc]  # axes has no types
    """Failures count against each way's own limit, and a success forgives only what it explains."""

    def get_failures(self, request: HttpRequest, credentials: Mapping[str, str] | None = None) -> int:
        """As many as make axes lock when a limit is reached, and one less before that."""
        ways: Sequence[QuerySet[AccessAttempt]] = self.get_user_attempts(request, credentials)
        counts = [_failures(way) for way in ways]
        if any(count >= limit for count, limit in zip(counts, LIMITS, strict=True)):
            return int(settings.AXES_FAILURE_LIMIT)
        return min(counts[0], settings.AXES_FAILURE_LIMIT - 1)

    def is_locked(self, request: HttpRequest, credentials: Mapping[str, str] | None = None) -> bool:
        return bool(super().is_locked(request, credentials)) or self._is_slowed(request)

    def _is_slowed(self, request: HttpRequest) -> bool:
        """Whether the last attempt from there was a moment ago, and many names were tried before."""
        now, address = request.axes_attempt_time, request.axes_ip_address  # type: ignore[attr-defined]  # set by axes
        since = now - timedelta(hours=settings.AXES_COOLOFF_TIME)
        tried = AccessAttempt.objects.filter(ip_address=address, attempt_time__gte=since)
        found = tried.aggregate(names=Count("username", distinct=True), last=Max("attempt_time"))
        moment = timedelta(seconds=SLOWED_SECONDS)
        slowed = bool(found["names"] >= MANY_NAMES and now - found["last"] < moment)
        request.sign_in_slowed = slowed  # type: ignore[attr-defined]  # read by the page that says so
        return slowed

    def reset_user_attempts(self, request: HttpRequest, credentials: Mapping[str, str] | None = None) -> int:
        """Of this person at this address. Else whoever has one password could try others' for ever."""
        deleted, _ = self.filter_user_attempts(request, credentials)[0].delete()
        return int(deleted)


def _failures(attempts: QuerySet[AccessAttempt]) -> int:
    return int(attempts.aggregate(sum=Sum("failures_since_start"))["sum"] or 0)


def counted_name(request: HttpRequest, credentials: Mapping[str, str] | None = None) -> str:
    """The name that failures are counted by (AXES_USERNAME_CALLABLE).

    What names nobody may be a password in the wrong box: it is not kept.
    """
    typed = str((credentials or {}).get("username") or request.POST.get("username", ""))
    if not typed or (typed.isprintable() and user_called(typed) is not None):
        return typed
    return salted_hmac("bars_portal.accounts.throttling", typed, algorithm="sha256").hexdigest()


def client_address(request: HttpRequest) -> str | None:
    """Where a request comes from (AXES_CLIENT_IP_CALLABLE); of IPv6 the network. None when nobody says."""
    meta = request.META
    found = nearest_untrusted(
        str(meta.get("REMOTE_ADDR", "")),
        str(meta.get("HTTP_X_FORWARDED_FOR", "")),
        trusted=settings.PORTAL_TRUSTED_PROXIES,
    )
    if found is None:
        return None
    address = ip_address(found)
    if isinstance(address, IPv6Address):
        return str(ip_network((int(address), _IPV6_NETWORK), strict=False).network_address)
    return str(address)


def nearest_untrusted(remote: str, forwarded: str, *, trusted: Iterable[str]) -> str | None:
    """The last address that no proxy of ours has: what lies before it anybody can make up.

    `remote` is the peer's ("" on a Unix socket, which is a proxy's), `forwarded` its X-Forwarded-For, to
    which each proxy adds where it heard from. `trusted` holds addresses and networks.
    """
    networks = [ip_network(each, strict=False) for each in trusted]
    nearest: str | None = None
    for each in [*([_plain(remote)] if remote else []), *_backwards(forwarded)]:
        if each is None:
            break
        nearest = each
        if not any(ip_address(each) in network for network in networks):
            break
    return nearest


def _backwards(forwarded: str) -> list[str | None]:
    return [_plain(part) for part in reversed(forwarded.split(",")) if part.strip()]


def _plain(text: str) -> str | None:
    """An address without port and brackets; IPv4 in the dress of IPv6 as IPv4. None for anything else."""
    bare = text.strip()
    if bare.startswith("["):
        bare = bare[1:].partition("]")[0]
    elif bare.count(":") == 1:
        bare = bare.partition(":")[0]
    try:
        address = ip_address(bare)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return str(mapped or address)
