"""Any bytes at all: refused, kept, and nothing else (changed messages: exchange_messages)."""

from uuid import UUID, uuid4

import pytest
from django.db import transaction
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from bars_portal.exchange.models import InboundMessage, InboundState
from bookings.models import Slot
from tests.integration.exchange.calling import Receiver, state_of_the_world
from tests.profiles import examples

pytestmark = pytest.mark.django_db

RULES = settings(
    max_examples=examples(30, thorough=500),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def check(receiver: Receiver, body: bytes) -> None:
    before, request_id = state_of_the_world(), str(uuid4())
    response = receiver.post(body, X_Request_ID=request_id)
    assert response.status_code == 400, response.content
    assert response.headers["X-Request-ID"] == request_id
    stored = InboundMessage.objects.get(request_id=UUID(request_id))
    assert bytes(stored.body) == body
    assert bytes(stored.reply or b"") == response.content
    assert stored.state == InboundState.REFUSED
    assert state_of_the_world() == before


@RULES
@example(body=b"[" * 200_000)
@example(body=b'{"a":' * 100_000)
@given(body=st.binary(max_size=300) | st.text(max_size=100).map(str.encode))
def test_any_bytes(receiver: Receiver, slot: Slot, body: bytes) -> None:
    with transaction.atomic():
        check(receiver, body or b" ")
        transaction.set_rollback(True)
