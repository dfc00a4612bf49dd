"""Accepted messages, changed at random: never an error of ours, never half a booking, always the bytes."""

import json
from copy import deepcopy
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bars_portal.exchange.models import InboundMessage, InboundState
from bookings.models import Booking, Slot
from tests.integration.exchange.calling import Receiver, cancelling, fresh, state_of_the_world

pytestmark = pytest.mark.django_db

HOSTILE = [
    *("", " ", "\x00", "'; DROP TABLE bookings_slot; --", "<script>", "é" * 300, "x" * 5000, "\ud800"),
    *("2030-02-30", "0001-01-01T00:00:00-14:00", "9999-12-31T23:59:59+14:00", "2030-03-01T09:00:00Z"),
    *("urn:uuid:00000000-0000-4000-8000-000000000002", "Patient/1", "#x", "https://x.example/a?b=c"),
]
VALUES: st.SearchStrategy[Any] = st.one_of(
    st.sampled_from([None, True, False, 0, -1, 10**30, 1.5e300, [], {}, [[]], [None], {"a": {}}]),
    st.sampled_from(HOSTILE),
    st.text(max_size=20),
    st.lists(st.text(max_size=3), max_size=3),
)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every path into a message, containers too."""
    if isinstance(value, dict):
        inner = [each for name, item in value.items() for each in places(item, (*path, name))]
    elif isinstance(value, list):
        inner = [each for index, item in enumerate(value) for each in places(item, (*path, index))]
    else:
        inner = []
    return [path, *inner] if path else inner


NEW, CANCEL = fresh(), cancelling()


@st.composite
def mutated(draw: st.DrawFn, original: dict[str, Any]) -> dict[str, Any]:
    bundle = deepcopy(original)
    for _ in range(draw(st.integers(1, 3))):
        known = places(bundle)
        if not known:
            return bundle
        *way, last = draw(st.sampled_from(known))
        owner: Any = bundle
        for step in way:
            owner = owner[step]
        _change(draw, owner, last)
    return bundle


def _change(draw: st.DrawFn, owner: Any, last: Any) -> None:
    kind = draw(st.sampled_from(["replace", "replace", "drop", "double", "wrap", "add"]))
    if kind == "replace":
        owner[last] = draw(VALUES)
    elif kind == "drop":
        del owner[last]
    elif kind == "double" and isinstance(owner, list):
        owner.append(deepcopy(owner[last]))
    elif kind == "wrap":
        owner[last] = [owner[last]]
    elif isinstance(owner, dict):
        owner[draw(st.sampled_from(["_status", "extension", "contained", "meta", "x"]))] = draw(VALUES)


RULES = settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def check(receiver: Receiver, body: bytes) -> None:
    before, request_id = state_of_the_world(), str(uuid4())
    response = receiver.post(body, X_Request_ID=request_id)
    assert response.status_code in {200, 400, 401, 404, 409, 422}, response.content
    assert response.headers["X-Request-ID"] == request_id
    stored = InboundMessage.objects.get(request_id=UUID(request_id))
    assert bytes(stored.body) == body
    assert bytes(stored.reply or b"") == response.content
    if response.status_code == 200:
        assert stored.state == InboundState.ACCEPTED
        assert json.loads(response.content)["id"] == json.loads(body)["id"]
    else:
        assert stored.state == InboundState.REFUSED
        assert state_of_the_world() == before


@RULES
@given(bundle=mutated(NEW))
def test_new_bookings(receiver: Receiver, slot: Slot, bundle: dict[str, Any]) -> None:
    with transaction.atomic():
        check(receiver, json.dumps(bundle).encode())
        assert Booking.objects.count() == Slot.objects.filter(status="busy").count() <= 1
        transaction.set_rollback(True)


@RULES
@given(bundle=mutated(CANCEL))
def test_cancels(receiver: Receiver, slot: Slot, bundle: dict[str, Any]) -> None:
    with transaction.atomic():
        assert receiver.send(NEW).status_code == 200
        check(receiver, json.dumps(bundle).encode())
        booked = Booking.objects.get().status == "booked"
        assert Slot.objects.filter(status="busy").exists() is booked
        transaction.set_rollback(True)


@RULES
@given(body=st.binary(max_size=300) | st.text(max_size=100).map(str.encode))
def test_any_bytes(receiver: Receiver, slot: Slot, body: bytes) -> None:
    with transaction.atomic():
        check(receiver, body or b" ")
        transaction.set_rollback(True)
