"""A referral arrives: its way through the files, as docs/ARCHITECTURE.md has it."""

import pytest

from bars_portal.exchange.fhir.formats import Format
from tests.integration.exchange.calling import fresh
from tests.integration.exchange_messages.world import World
from tests.integration.ways import check, traced
from tests.unit.exchange_fhir.samples import SAMPLES


@pytest.mark.django_db
def test_a_referral_arrives(world: World) -> None:
    world.prepare("referral-new")
    world.take(fresh(SAMPLES["referral-new"]()), Format.JSON)
    with traced("bars_portal/exchange/receiver/views.py", "receive") as way:
        world.take(fresh(SAMPLES["referral-new"]()), Format.JSON)
    check(way, "A referral arrives, to the stored reply", most_stages=14, most_returns=3)
