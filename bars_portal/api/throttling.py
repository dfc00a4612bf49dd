"""How much one application may ask of one process: beyond that 429, and when to ask again."""

import math
from time import monotonic

from bars_portal.api.models import Application
from bars_portal.api.problems import Problem
from bars_portal.shares import Shares, Taken

SHARES = Shares()
_WINDOW_SECONDS = 60


def take_share(application: Application) -> Taken:
    return SHARES.take(application.pk, a_minute=application.requests_a_minute, now=monotonic())


def headers_of(application: Application, taken: Taken) -> dict[str, str]:
    """RateLimit and RateLimit-Policy (draft-ietf-httpapi-ratelimit-headers): what is left of how much."""
    resets = math.ceil(taken.waits) or 1
    return {
        "RateLimit-Policy": f'"application";q={application.requests_a_minute};w={_WINDOW_SECONDS}',
        "RateLimit": f'"application";r={taken.left};t={resets}',
    }


def too_many(taken: Taken) -> Problem:
    return Problem("too-many-requests", retry_after=max(1, math.ceil(taken.waits)))
