"""What begins a case: many updates at once of one that nobody knows (real threads), a new conversation."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from uuid import uuid4

import pytest
from django.db import connection

from bars_portal.audit.models import AuditEvent
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


def test_a_case_that_goes_on_in_a_new_conversation_stays_one_journey(shared_dir: Path) -> None:
    """What looks new to us by its conversation may be known by its journey: then it is applied again."""
    hub, conversation = make_hub(), uuid4()
    for each in (conversation, uuid4()):
        assert send(adapted(example(shared_dir, "REFREQ01"), hub), correlation_id=each).status == 200
    first, second = Referral.objects.order_by("created_at")
    assert first.journey == second.journey
    assert {first.correlation_id, second.correlation_id} > {conversation}
    assert AuditEvent.objects.filter(action="exchange.receive_message", outcome="done").count() == 2
