"""Many updates of a case that nobody knows yet, at the same moment: one begins it (real threads)."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from uuid import uuid4

import pytest
from django.db import connection

from referrals.cases.models import Referral
from tests.factories.referrals import make_hub
from tests.integration.referrals.official import adapted, example, of_type, send

SENDERS = 4
pytestmark = pytest.mark.django_db(transaction=True)


def test_one_of_many_first_updates_begins_the_case(shared_dir: Path) -> None:
    hub, conversation, start = make_hub(), uuid4(), Barrier(SENDERS)
    updates = [adapted(example(shared_dir, "REFREQ8B"), hub) for _ in range(SENDERS)]
    for each in updates:
        of_type(each, "ServiceRequest").pop("id", None)

    def one(number: int) -> int:
        try:
            start.wait(timeout=20)
            return send(updates[number], correlation_id=conversation).status
        finally:
            connection.close()

    with ThreadPoolExecutor(SENDERS) as pool:
        assert list(pool.map(one, range(SENDERS))) == [200] * SENDERS
    (case,) = Referral.objects.all()
    assert case.version == SENDERS


def test_a_closed_service_begins_no_case_by_an_update(shared_dir: Path) -> None:
    hub = make_hub(active=False)
    update = adapted(example(shared_dir, "REFREQ8B"), hub)
    of_type(update, "ServiceRequest").pop("id", None)
    assert send(update, correlation_id=uuid4()).status == 404
    assert not Referral.objects.exists()
