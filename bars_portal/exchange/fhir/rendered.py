"""A searchset whose entries come as finished JSON: its bytes are joined, never parsed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from bars_portal.exchange.fhir import json
from bars_portal.exchange.fhir.writing import searchset


@dataclass(frozen=True, slots=True)
class Rendered:
    """One resource as JSON bytes, ready to be sent."""

    body: bytes

    def read(self) -> dict[str, Any]:
        return json.loads(self.body)


def rendered_searchset(
    *,
    bundle_id: UUID | str,
    now: datetime,
    self_link: str,
    total: int,
    matches: str,
    included: bytes = b"",
) -> Rendered:
    """As `searchset`, of entries as JSON with commas between them; `matches` are the first `total`."""
    bundle = searchset(bundle_id=bundle_id, now=now, self_link=self_link, matches=())
    head = json.dumps({**bundle, "total": total})
    # FHIR has no empty lists.
    if not matches and not included:
        return Rendered(head)
    comma = b"," if matches and included else b""
    # Joined once: the matches may be half a megabyte.
    return Rendered(b"".join([head[:-1], b',"entry":[', matches.encode(), comma, included, b"]}"]))
