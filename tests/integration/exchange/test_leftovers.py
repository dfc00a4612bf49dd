"""An answered request is gone, body and all: what refers to itself would stay in memory until a sweep.

A worker sweeps seldom (receiver.warming), and a body has up to 2.5 MB (found by fuzzing).
"""

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory
from django.test.client import ClientHandler
from django.views import View

from bookings.models import Slot
from tests.integration.exchange.calling import FHIR, MESSAGE, Receiver, fresh, headers

Ask = Callable[[RequestFactory], HttpRequest]


def posting(content: Any, path: str = MESSAGE) -> Ask:
    return lambda factory: factory.post(path, content, content_type=FHIR, headers=headers())


def getting(path: str, verb: str = "GET") -> Ask:
    return lambda factory: factory.generic(verb, f"/FHIR/R4{path}", headers=headers())


REQUESTS: dict[str, tuple[Ask, int]] = {
    "accepted": (lambda factory: posting(fresh())(factory), 200),
    "no JSON": (posting(b"{" * 1000), 400),
    "too large": (posting(b"x" * 3_000_000), 413),
    "no bundle": (posting({"resourceType": "Patient"}), 400),
    "wrong verb": (posting({}, "/FHIR/R4/Slot"), 405),
    "read": (getting("/metadata"), 200),
    "head": (getting("/metadata", "HEAD"), 200),
    "search refused": (getting("/Slot?status=free"), 400),
    "nothing there": (getting("/Appointment/00000000-0000-4000-8000-000000000000"), 404),
    "no path": (getting("/nowhere"), 404),
}


@contextmanager
def left_for_the_sweep() -> Iterator[list[object]]:
    """What only the collector finds of all that happens inside; complete at the end."""
    left: list[object] = []
    # What is there already is looked at no more.
    gc.freeze()
    gc.disable()
    try:
        yield left
        gc.set_debug(gc.DEBUG_SAVEALL)
        gc.collect()
        left += gc.garbage
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
        gc.enable()


@pytest.mark.parametrize("name", REQUESTS)
def test_nothing_of_a_request_is_left(name: str, receiver: Receiver, slot: Slot) -> None:
    ask, status = REQUESTS[name]
    handler = ClientHandler(enforce_csrf_checks=False)

    with left_for_the_sweep() as left:
        # Without the test client, whose answers refer to themselves.
        answered = handler(ask(RequestFactory()).META).status_code

    assert answered == status
    assert not [each for each in left if isinstance(each, HttpRequest | HttpResponse | View)]
