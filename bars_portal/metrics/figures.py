"""Every figure that a process counts by itself. No label ever holds what somebody typed or sent.

Routes are names of ours, methods and codes are from fixed lists, and a partner is named only where the
directory knows it (`partner_label`): a stranger cannot add a single line to what is shown. What is read from
the database instead stands in bars_portal.status.collector.
"""

from collections.abc import Callable, Collection
from threading import Lock

from prometheus_client import Counter, Gauge, Histogram

OTHER = "other"
_METHODS = frozenset({"GET", "HEAD", "POST"})
# Answers to partners are due within 5 s (standard section 5), pages wait for them for 8 s at the most.
_BUCKETS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0)
# A call waits for the proxy for up to 35 s.
_CALL_BUCKETS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 35.0)

ANSWER_SECONDS = Histogram(
    "bars_answer_seconds",
    "Time to answer, by name of the route.",
    ["route", "method", "status"],
    buckets=_BUCKETS,
)
RECEIVED = Counter(
    "bars_received", "Requests of partners that were answered, by partner and code.", ["partner", "code"]
)
ACCESS_REFUSED = Counter(
    "bars_access_refused",
    "Requests that callers or access rules of a service refused.",
    ["service", "partner"],
)
DELIVERIES = Counter(
    "bars_deliveries",
    "Attempts to send a message that ended, by service and outcome.",
    ["partner", "outcome", "code"],
)
CALL_SECONDS = Histogram(
    "bars_call_seconds",
    "Time that one call of the BaRS API took, answered or not.",
    ["method", "path", "code"],
    buckets=_CALL_BUCKETS,
)
TOKEN_RENEWALS = Counter("bars_token_renewals", "Attempts to renew the access token.", ["result"])
POOL_CONNECTIONS = Gauge(
    "bars_pool_connections",
    "Connections of the database pool, by state; limit is how many there may be.",
    ["state"],
    multiprocess_mode="livesum",
)
POOL_WAITING = Gauge("bars_pool_waiting", "Requests that wait for a connection.", multiprocess_mode="livesum")


def method_label(method: str) -> str:
    return method if method in _METHODS else OTHER


def status_label(status: int) -> str:
    """A class of them ("2xx"): which one it was, the counters by code tell."""
    return f"{status // 100}xx"


class Known:
    """The names that labels may hold. Empty until they were read: then everybody is "other"."""

    def __init__(self) -> None:
        self._names: frozenset[str] = frozenset()

    def learn(self, names: Collection[str]) -> None:
        self._names = frozenset(names)

    def label(self, name: str) -> str:
        return name if name in self._names else OTHER


known = Known()


def partner_label(name: str) -> str:
    """An ODS code or a service id, as the directory knows it."""
    return known.label(name)


# -- what is looked at every few seconds, in a thread of its own, so that no request pays for it

Sample = Callable[[], None]
_samples: dict[str, Sample] = {}
_lock = Lock()


def sample(take: Sample) -> Sample:
    """Decorator: `take` sets gauges, quickly, and waits for nobody."""
    with _lock:
        _samples[f"{take.__module__}.{take.__qualname__}"] = take
    return take


def take_samples() -> None:
    with _lock:
        found = list(_samples.values())
    for take in found:
        take()
