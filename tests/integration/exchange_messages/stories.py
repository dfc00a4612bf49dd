"""The published and the described messages in the order in which they can be sent, adapted to our hub."""

from pathlib import Path

from tests.contract.published import PUBLISHED, UNPUBLISHED, example
from tests.integration.bookings import official as bookings
from tests.integration.exchange.calling import Json
from tests.integration.exchange_messages.answers import focus_of
from tests.integration.exchange_messages.world import World, new_id
from tests.integration.referrals import official as referrals
from tests.unit.exchange_fhir.factory import changed

# What goes before; everything else stands alone, or answers a request of ours.
_BEFORE = {
    "BOOKREQ02": ("BOOKREQ01",),
    "BOOKREQ02 in error": ("BOOKREQ01",),
    "REFREQ8B": ("REFREQ8A",),
    "REFREQ8C": ("REFREQ8A", "REFREQ8B"),
    "REFREQ8D": ("REFREQ8A", "REFREQ8B", "REFREQ8C"),
    "REFREQ9A-2": ("REFREQ9A-1",),
    "REFREQ9A-3": ("REFREQ9A-1", "REFREQ9A-2"),
    "SERVREQ01": ("VALREQ01",),
    "SERVREQ02": ("VALREQ01", "VALREQ02"),
    "SERVREQ01 referral": ("REFREQ01",),
    "SERVREQ02 referral": ("REFREQ01",),
    "VALREQ02": ("VALREQ01",),
    "VALRESP01B": ("VALRESP01A",),
}
_DESCRIBED = {name: (like, key, changes) for name, like, key, changes in UNPUBLISHED}
KEYS = {name.strip(): key for name, (key, _) in PUBLISHED.items()} | {
    name: key for name, (_, key, _) in _DESCRIBED.items()
}


def before(name: str) -> tuple[str, ...]:
    return _BEFORE.get(name, ())


def adapted(shared: Path, name: str, world: World, *, earlier: list[Json]) -> Json:
    """Only service, slot, ids, times and response.identifier are ours; `earlier` are the answers so far."""
    like, _, changes = _DESCRIBED.get(name, (name, "", ()))
    raw = changed(example(shared, f"{like} " if like == "VALRESP01" else like), *changes)
    if KEYS[name].startswith("booking"):
        raw = bookings.adapted(raw, world.slot)
    else:
        raw = referrals.adapted(raw, world.slot.service)
    if "response" in raw["entry"][0]["resource"]:
        referrals.answering(raw, earlier[-1]["id"] if earlier else world.our_request)
    elif earlier:
        _follow(raw, earlier)
    return {**raw, "id": new_id()}


def _follow(raw: Json, earlier: list[Json]) -> None:
    """Later than what went before, about the resource that we gave an id."""
    referrals.later(raw, 60 * len(earlier))
    url = raw["entry"][0]["resource"]["focus"][0]["reference"]
    (focus,) = [each["resource"] for each in raw["entry"] if each["fullUrl"] == url]
    if "id" in focus:
        focus["id"] = focus_of(earlier[0])["id"]
