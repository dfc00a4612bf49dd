"""How much one partner may ask of one receiver process: beyond that 429, and when to ask again.

The BaRS proxy calls for everybody, so the organisation in the header counts, not the certificate alone: one
whose program runs wild must not cost the others their answers. Each process counts for itself.
"""

import math
from collections import OrderedDict
from threading import Lock
from time import monotonic
from typing import Any

from django.conf import settings
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

# Organisations that are remembered: who has been quiet longest is forgotten, and has a full share again.
_MOST_KEPT = 2_000
_MINUTE = 60.0


class Shares:
    """A share for each key: it refills steadily, within a minute from empty to full."""

    def __init__(self) -> None:
        self._lock = Lock()
        # What is left, and when that was so.
        self._kept: OrderedDict[object, tuple[float, float]] = OrderedDict()

    def take(self, key: object, *, a_minute: int, now: float) -> float:
        """Takes one of it and gives 0.0, or the seconds until there is one again. `now` is monotonic."""
        with self._lock:
            left, at = self._kept.pop(key, (float(a_minute), now))
            left = min(float(a_minute), left + (now - at) * a_minute / _MINUTE)
            waits = 0.0 if left >= 1 else (1 - left) * _MINUTE / a_minute
            self._kept[key] = (left if waits else left - 1, now)
            if len(self._kept) > _MOST_KEPT:
                self._kept.popitem(last=False)
            return waits


SHARES = Shares()


class PartnerThrottle(BaseThrottle):
    """DRF's throttle, after the certificate is known; BARS_PEER_REQUESTS_A_MINUTE 0 is without a limit."""

    seconds = 0.0

    def allow_request(self, request: Request, view: Any) -> bool:
        limit = settings.BARS_PEER_REQUESTS_A_MINUTE
        if limit:
            # As it was sent: a header that does not decode has a share as well.
            key = (request.user, request.headers.get("NHSD-End-User-Organisation", ""))
            self.seconds = SHARES.take(hash(key), a_minute=limit, now=monotonic())
        return self.seconds == 0

    def wait(self) -> float:
        return max(1.0, math.ceil(self.seconds))
