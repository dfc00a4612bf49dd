"""A run as plain data: what report.json holds and the page shows."""

from collections.abc import Mapping

from bars_portal.simulator.selftest.model import Done, Exchange, Json, Result
from bars_portal.simulator.selftest.roles import ROLES

# A slot search of two weeks is megabytes; what a person reads is its beginning.
LONGEST_BODY = 12_000
# Nothing secret is sent, but a target's gateway may want a token one day.
_SECRET = frozenset({"authorization", "cookie", "set-cookie", "proxy-authorization"})


def as_data(result: Result) -> Json:
    """One scenario with its rule, verdict, findings, requests and answers."""
    scenario = result.scenario
    return {
        "id": scenario.id,
        "name": scenario.name,
        "group": scenario.group,
        "rule": f"Booking and Referral Standard, section {scenario.section}",
        "role": ROLES[scenario.role].words,
        "verdict": str(result.verdict),
        "findings": list(result.findings),
        "seconds": result.seconds,
        "exchanges": [_exchange(each) for each in result.done],
    }


def _exchange(done: Done) -> Json:
    told = done.exchange
    return {
        "request": {
            "method": told.method,
            "url": told.url,
            "headers": _headers(told.headers),
            "body": _text(told.body),
        },
        "response": _response(told),
        "seconds": round(told.seconds, 3),
        "findings": list(done.findings),
    }


def _response(told: Exchange) -> Json:
    return {
        "status": told.status,
        "headers": _headers(told.answer_headers),
        "body": _text(told.answer_body),
    }


def _headers(headers: Mapping[str, str]) -> dict[str, str]:
    return {name: "(hidden)" if name in _SECRET else value for name, value in headers.items()}


def _text(body: bytes) -> str:
    text = body[:LONGEST_BODY].decode("utf-8", "replace")
    left = len(body) - LONGEST_BODY
    return text if left <= 0 else f"{text}\n(and {left} more bytes)"
