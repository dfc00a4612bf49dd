"""Slots and bookings through the API, over the wire to our own receiver."""

import pytest

from bars_portal.audit.models import AuditEvent
from tests.integration.api.conftest import Calls, World

pytestmark = pytest.mark.django_db


def test_who_am_i(calls: Calls) -> None:
    answer = calls.get("applications/me", x_request_id="mine-1")
    assert answer.status_code == 200
    assert answer.json()["name"] == calls.application.name
    assert answer["X-Request-ID"] == "mine-1"


def test_booked_read_and_cancelled(world: World) -> None:
    made = world.book()
    assert made.status_code == 202, made.content
    assert made.json()["state"] == {"code": "requested", "name": "Still confirming", "is_open": True}
    world.network.deliver_all()
    read = world.calls.get(made["Location"].split("/api/v1/")[1])
    assert read.status_code == 200
    assert read.json()["state"]["code"] == "booked"
    assert read.json()["patient"]["family_name"] == "Quill"
    gone = world.calls.post(f"bookings/{made.json()['id']}/cancel", {"reason": "patient"})
    assert gone.status_code == 202, gone.content
    world.network.deliver_all()
    assert world.calls.get(f"bookings/{made.json()['id']}").json()["state"]["code"] == "cancelled"
    actors = set(
        AuditEvent.objects.filter(action__startswith="bookings.").values_list("actor_label", flat=True)
    )
    assert f"{world.calls.application.name} (application)" in actors
