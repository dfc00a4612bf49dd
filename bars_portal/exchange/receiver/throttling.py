"""How much one partner may ask of one receiver process: beyond that 429, and when to ask again.

The BaRS proxy calls for everybody, so the organisation in the header counts, not the certificate alone: one
whose program runs wild must not cost the others their answers. Each process counts for itself.
"""

import math
from time import monotonic
from typing import Any

from django.conf import settings
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from bars_portal.shares import Shares

SHARES = Shares()


class PartnerThrottle(BaseThrottle):
    """DRF's throttle, after the certificate is known; BARS_PEER_REQUESTS_A_MINUTE 0 is without a limit."""

    seconds = 0.0

    def allow_request(self, request: Request, view: Any) -> bool:
        limit = settings.BARS_PEER_REQUESTS_A_MINUTE
        if limit:
            # As it was sent: a header that does not decode has a share as well.
            key = (request.user, request.headers.get("NHSD-End-User-Organisation", ""))
            self.seconds = SHARES.take(hash(key), a_minute=limit, now=monotonic()).waits
        return self.seconds == 0

    def wait(self) -> float:
        return max(1.0, math.ceil(self.seconds))
