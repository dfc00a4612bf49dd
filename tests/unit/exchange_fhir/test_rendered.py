"""A searchset joined from finished JSON is the one that `searchset` builds."""

from datetime import UTC, datetime

import pytest

from bars_portal.exchange.fhir import json
from bars_portal.exchange.fhir.bundle import Resource, found_entry, rendered_searchset, searchset

NOW = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
Entries = list[tuple[str, Resource]]
SLOTS: Entries = [(f"urn:uuid:{number}", {"resourceType": "Slot", "id": str(number)}) for number in range(3)]
INCLUDED: Entries = [("urn:uuid:s", {"resourceType": "Schedule", "comment": 'Zoë "1" \\'})]


@pytest.mark.parametrize("included", [[], INCLUDED], ids=["alone", "with-included"])
@pytest.mark.parametrize("matches", [[], SLOTS[:1], SLOTS], ids=["none", "one", "three"])
def test_joined_is_as_built(matches: Entries, included: Entries) -> None:
    built = searchset(bundle_id="b", now=NOW, self_link="Slot?a", matches=matches, included=included)
    texts = [json.dumps(found_entry(url, resource, "match")).decode() for url, resource in matches]
    around = [json.dumps(found_entry(url, resource, "include")) for url, resource in included]
    joined = rendered_searchset(
        bundle_id="b",
        now=NOW,
        self_link="Slot?a",
        total=len(matches),
        matches=",".join(texts),
        included=b",".join(around),
    )
    assert joined.body == json.dumps(built)
    assert joined.read() == built
