"""A searchset whose matches come as finished JSON: its bytes are joined, never parsed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from bars_portal.exchange.fhir import json
from bars_portal.exchange.fhir.writing import Resource, searchset


@dataclass(frozen=True, slots=True)
class Rendered:
    """One resource as JSON bytes, ready to be sent."""

    body: bytes

    def read(self) -> dict[str, Any]:
        return json.loads(self.body)


def match_entry(url: str, resource: Resource, *, now: datetime) -> dict[str, Any]:
    """One match as `searchset` writes it into Bundle.entry."""
    entry: dict[str, Any] = searchset(bundle_id="", now=now, self_link="", matches=[(url, resource)])[
        "entry"
    ][0]
    return entry


def rendered_searchset(
    *,
    bundle_id: UUID | str,
    now: datetime,
    self_link: str,
    total: int,
    matches: str,
    included: Sequence[tuple[str, Resource]] = (),
) -> Rendered:
    """As `searchset`, but `matches` are its first `total` entries as JSON with commas between them."""
    bundle = searchset(bundle_id=bundle_id, now=now, self_link=self_link, matches=(), included=included)
    others = bundle.pop("entry", [])
    head = json.dumps({**bundle, "total": total})
    # FHIR has no empty lists.
    if not matches and not others:
        return Rendered(head)
    comma = b"," if matches and others else b""
    listed = b",".join(map(json.dumps, others))
    # Joined once: the matches may be half a megabyte.
    return Rendered(b"".join([head[:-1], b',"entry":[', matches.encode(), comma, listed, b"]}"]))
