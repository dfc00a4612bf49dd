"""A message that goes out as a new one says the same as before, under an id and a moment of its own."""

import json
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from bars_portal.exchange.fhir.bundle import renewed
from bars_portal.exchange.fhir.timestamps import format_instant
from tests.factories.referrals import NOW
from tests.factories.whole_messages import Key, whole_messages

NEW_ID = UUID("7d0f0a3e-4be5-4dc0-a7f9-0d3f0f0c9f11")
LATER = NOW + timedelta(hours=3)


@pytest.mark.parametrize("key", whole_messages(), ids=" ".join)
def test_only_its_ids_and_its_moment_are_new(key: Key) -> None:
    before: dict[str, Any] = whole_messages()[key]
    text = json.dumps(before)
    after = renewed(before, bundle_id=NEW_ID, now=LATER)
    assert json.dumps(before) == text, "what is stored stays as it was"
    assert (after["id"], after["timestamp"]) == (str(NEW_ID), format_instant(LATER))
    pairs = list(zip(before["entry"], after["entry"], strict=True))
    assert [old["fullUrl"] == new["fullUrl"] for old, new in pairs] == [False, *[True] * (len(pairs) - 1)]
    for old, new in pairs:
        was, stamp = old["resource"]["meta"]["lastUpdated"], new["resource"]["meta"]["lastUpdated"]
        assert stamp == (format_instant(LATER) if was == before["timestamp"] else was)
        assert {**new["resource"], "meta": None} == {**old["resource"], "meta": None}
