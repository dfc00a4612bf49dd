"""A typed client, generated from the OpenAPI document, drives the journey: so the document is true."""

import importlib
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import orjson
import pytest
from django.test import Client

from bars_portal.api.schema import document
from bars_portal.api.services import create_secret
from tests.factories.api import SETUP
from tests.integration.api.conftest import DOCTOR, PATIENT, World

HOME = "https://testserver"
_PACKAGE = "generated_bars_client"
# What formats the files afterwards is no part of what is proved. A PDF is a file to it like any other.
_CONFIG = (
    f'{{"package_name_override": "{_PACKAGE}", "post_hooks": [],'
    ' "content_type_overrides": {"application/pdf": "application/octet-stream"}}'
)


@contextmanager
def generated(folder: Path) -> Iterator[Any]:
    """Its modules by their names. A schema that the generator has to leave out fails it."""
    (folder / "openapi.json").write_bytes(orjson.dumps(document()))
    (folder / "config.json").write_text(_CONFIG)
    command = [sys.executable, "-m", "openapi_python_client", "generate", "--meta", "none"]
    command += ["--path", "openapi.json", "--config", "config.json", "--output-path", _PACKAGE]
    ran = subprocess.run([*command, "--fail-on-warning"], cwd=folder, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    sys.path.insert(0, str(folder))
    try:
        yield lambda name: importlib.import_module(f"{_PACKAGE}.{name}")
    finally:
        sys.path.remove(str(folder))
        for name in [each for each in sys.modules if each.partition(".")[0] == _PACKAGE]:
            del sys.modules[name]


def in_process(request: httpx.Request) -> httpx.Response:
    """Through all middleware, on the test's own connection."""
    answer = Client().generic(
        request.method,
        request.url.raw_path.decode(),
        request.content,
        request.headers.get("Content-Type", ""),
        secure=True,
        headers=dict(request.headers),
    )
    return httpx.Response(answer.status_code, headers=dict(answer.items()), content=answer.content)


def token_for(world: World, transport: httpx.BaseTransport) -> str:
    """As the document says: where to ask, and by which grant."""
    flow = document()["components"]["securitySchemes"]["oauth2"]["flows"]["clientCredentials"]
    application = world.calls.application
    secret = create_secret(application=application, actor=SETUP, now=datetime.now(UTC))
    with httpx.Client(transport=transport, base_url=HOME) as client:
        answer = client.post(
            flow["tokenUrl"],
            data={"grant_type": "client_credentials", "scope": " ".join(flow["scopes"])},
            auth=(application.client_id, secret),
        )
    assert answer.status_code == 200, answer.text
    return str(answer.json()["access_token"])


@pytest.mark.further
@pytest.mark.django_db
def test_it_books_reads_and_cancels(world: World, tmp_path: Path) -> None:
    transport = httpx.MockTransport(in_process)
    with generated(tmp_path) as module:
        models, types = module("models"), module("types")
        client = module("client").AuthenticatedClient(
            base_url=HOME,
            token=token_for(world, transport),
            httpx_args={"transport": transport},
            raise_on_unexpected_status=True,
        )

        def call(operation: str, *ids: str, **asked: Any) -> Any:
            found = module(f"api.{operation}").sync_detailed(*ids, client=client, **asked)
            assert found.status_code < 400, found.content
            # Nothing was sent that the document does not describe.
            assert not isinstance(found.parsed, dict | models.Problem)
            return found.parsed

        me = call("applications.get_own_application")
        assert me.scopes == sorted(world.calls.application.scopes)
        service = call("services.get_service", world.service.service_id)
        found = call("services.find_services", takes=models.FindServicesTakes.BOOKINGS)
        assert service.id in [each.id for each in found.items]
        free = call("slots.get_slots_of_service", service.id)
        assert (free.problem, free.slots[0].start) == (None, world.slots[0].start)

        wanted = models.NewBooking(slot=free.slots[0].id, patient=models.Patient.from_dict(PATIENT))
        key = str(uuid4())
        made = call("bookings.create_booking", body=wanted, idempotency_key=key, x_acting_user=DOCTOR)
        assert made.state.is_open
        world.network.deliver_all()
        booked = call("bookings.get_booking", str(made.id))
        assert booked.state.code is models.BookingStateCode.BOOKED
        assert booked.patient.family_name == PATIENT["family_name"]
        listed = call("bookings.list_bookings", state=models.ListBookingsState.BOOKED)
        assert [each.id for each in listed.items] == [made.id]

        reason = models.Cancellation(reason=models.CancellationReason.PATIENT)
        call("bookings.cancel_booking", str(made.id), body=reason, idempotency_key=str(uuid4()))
        world.network.deliver_all()
        ended = call("bookings.get_booking", str(made.id))
        assert (ended.state.code.value, ended.reference) == ("cancelled", booked.reference)
        assert call("events.list_events", limit=10).items is not types.UNSET
