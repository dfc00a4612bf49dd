"""The trail's own clock: no broker, no sender's thread, and what fails once is tried again."""

from collections.abc import Callable
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import pytest
from django.db import OperationalError

from bars_portal.audit.actor import SYSTEM
from bars_portal.audit.chain import sealer
from bars_portal.audit.chain.heads import Sealing, read_heads
from bars_portal.audit.models import Seal
from bars_portal.audit.services import record
from bars_portal.sql import database_time

pytestmark = pytest.mark.django_db(transaction=True)


def wait_until(is_so: Callable[[], bool]) -> None:
    deadline = monotonic() + 5
    while not is_so():
        assert monotonic() < deadline
        sleep(0.01)


def test_it_seals_and_signs_by_itself_and_goes_on_after_a_failure(
    heads: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seal, failures = sealer.seal_trail, [OperationalError("away"), ValueError("a bug")]

    def failing(**named: Any) -> int | None:
        if failures:
            raise failures.pop()
        return seal(**named)

    monkeypatch.setattr(sealer, "seal_trail", failing)
    rounds = Sealing(seals_every=0.02, signs_every=0.05)
    rounds.start()
    try:
        event = record(actor=SYSTEM, action="tests.happen", now=database_time()).pk
        wait_until(Seal.objects.filter(event_ids__contains=[event]).exists)
        wait_until(lambda: heads.exists() and len(list(read_heads(heads))) >= 2)
    finally:
        rounds.stop()
    assert not failures


def test_a_round_signs_when_the_hour_is_over_and_not_before(heads: Path) -> None:
    rounds = Sealing(signs_every=3600)
    for _ in range(3):
        rounds.rounds.once()
    assert len(list(read_heads(heads))) == 1, "the first one at the start"


def test_a_folder_that_is_full_stops_no_sealing_and_is_tried_again(heads: Path) -> None:
    heads.touch()
    event = record(actor=SYSTEM, action="tests.happen", now=database_time()).pk
    rounds = Sealing(signs_every=0)
    rounds.rounds.once()
    assert Seal.objects.filter(event_ids__contains=[event]).exists()
    heads.unlink()
    rounds.rounds.once()
    assert len(list(read_heads(heads))) == 1
