"""The published examples of referrals, validations and replies, adapted to a service of ours."""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

from bars_portal.exchange.fhir.identifiers import ServiceID
from bars_portal.exchange.fhir.timestamps import format_instant, parse_instant
from directory.models import HealthcareService
from tests.integration.bookings.official import SENDER, Bundle, issue, of_type, send

__all__ = [
    "SENDER",
    "Bundle",
    "adapted",
    "answer_of",
    "answering",
    "example",
    "focus_of",
    "issue",
    "later",
    "of_type",
    "resources",
    "send",
]
NEW_REQUESTS = ("REFREQ01", "REFREQ02", "REFREQ03", "REFREQ04", "REFREQ8A", "VALREQ01", "VALREQ03")


def example(shared: Path, start: str) -> Bundle:
    (path,) = (shared / "fhir" / "examples").glob(f"{start}[ -]*.json")
    loaded: Bundle = json.loads(path.read_text())
    return loaded


def adapted(bundle: Bundle, service: HealthcareService, *, bundle_id: str = "") -> Bundle:
    """Only the service id replaced; a fresh Bundle.id."""
    header = of_type(bundle, "MessageHeader")
    header["destination"][0]["endpoint"] = ServiceID(service.service_id).token
    return {**bundle, "id": bundle_id or str(uuid4())}


def answering(bundle: Bundle, bundle_id: str) -> Bundle:
    """The same with another MessageHeader.response.identifier."""
    of_type(bundle, "MessageHeader")["response"]["identifier"] = bundle_id
    return bundle


def later(bundle: Bundle, minutes: float) -> Bundle:
    """The same with every meta.lastUpdated moved by minutes."""
    for resource in resources(bundle):
        stamp: datetime = parse_instant(resource["meta"]["lastUpdated"]) + timedelta(minutes=minutes)
        resource["meta"]["lastUpdated"] = format_instant(stamp)
    return bundle


def resources(bundle: Bundle, kind: str = "") -> Iterator[dict[str, Any]]:
    for entry in bundle["entry"]:
        if not kind or entry["resource"]["resourceType"] == kind:
            yield entry["resource"]


def focus_of(bundle: Bundle) -> dict[str, Any]:
    url = of_type(bundle, "MessageHeader")["focus"][0]["reference"]
    return next(each["resource"] for each in bundle["entry"] if each["fullUrl"] == url)


def answer_of(bundle: Bundle, **ids: Any) -> Bundle:
    """Sent and accepted."""
    reply = send(bundle, **ids)
    assert reply.status == 200, reply.body
    loaded: Bundle = json.loads(reply.body)
    return loaded
