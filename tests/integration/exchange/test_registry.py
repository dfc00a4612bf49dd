"""Message types and readers: what stops the start, how a new file is found, and what every type must have."""

import sys
from collections.abc import Iterator
from importlib import import_module
from inspect import isabstract
from io import StringIO
from pathlib import Path
from typing import Any, ClassVar

import pytest
from django.apps import AppConfig, apps
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command

from bars_portal.exchange import registry
from bars_portal.exchange.fhir.capability import capability_statement
from bars_portal.exchange.fhir.codes import MessageEvent, MessageReason
from bars_portal.exchange.fhir.profiles import DEFINITIONS
from bars_portal.exchange.registry import (
    MessageType,
    ResourceReader,
    autodiscover,
    message_types,
    register_message,
    register_reader,
)
from tests.factories.bookings import NOW
from tests.integration.exchange.partner import Probe


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    """The registry is one of the process: what a test adds goes again."""
    known, readers = dict(registry._registry.messages), dict(registry._registry.readers)
    yield
    registry._registry.messages, registry._registry.readers = known, readers


def kind(**changes: Any) -> type[MessageType]:
    return type("Changed", (Probe,), changes)


def test_a_key_is_used_once() -> None:
    register_message(kind())
    with pytest.raises(ImproperlyConfigured, match="probe and probe overlap"):
        register_message(kind(focus_statuses=frozenset({"arrived"})))


NEW = MessageReason.NEW


@pytest.mark.parametrize(
    ("changes", "overlaps"),
    [
        ({}, True),
        ({"reasons": frozenset({NEW, MessageReason.UPDATE})}, True),
        ({"focus_statuses": frozenset({"waitlist", "arrived"})}, True),
        # No category means that category plays no part: it could be either.
        ({"categories": frozenset({"referral"})}, True),
        ({"reasons": frozenset({MessageReason.UPDATE})}, False),
        ({"focus_statuses": frozenset({"arrived"})}, False),
        ({"focus_type": "ServiceRequest"}, False),
        ({"event": next(each for each in MessageEvent if each is not MessageEvent.BOOKING_REQUEST)}, False),
    ],
)
def test_one_message_cannot_be_of_two_types(changes: dict[str, Any], overlaps: bool) -> None:
    register_message(kind())
    other = kind(**{"key": "other", **changes})
    if overlaps:
        with pytest.raises(ImproperlyConfigured, match="probe and other overlap"):
            register_message(other)
    else:
        register_message(other)
        assert registry.message_type("other").key == "other"


def test_categories_tell_types_apart() -> None:
    register_message(kind(categories=frozenset({"referral"})))
    register_message(kind(key="other", categories=frozenset({"validation"})))
    with pytest.raises(ImproperlyConfigured):
        register_message(kind(key="third", categories=frozenset({"validation", "x"})))


def test_a_type_that_lacks_a_method_stops_the_start() -> None:
    class Unfinished(MessageType):
        key = "unfinished"

    with pytest.raises((TypeError, AttributeError)):
        register_message(Unfinished)


def test_a_resource_has_one_reader() -> None:
    class Reader(ResourceReader):
        resource_type: ClassVar[str] = "Appointment"

        def search(self, params: Any, context: Any) -> dict[str, Any]:
            return {}

    with pytest.raises(ImproperlyConfigured, match="Appointment has two readers"):
        register_reader(Reader)


PLUGIN = """
from bars_portal.exchange.registry import register_message
from tests.integration.exchange.partner import Probe

@register_message
class Found(Probe):
    key = "found-by-itself"
"""


def test_a_new_file_is_found_by_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "plugged_in"
    (package / "messages").mkdir(parents=True)
    for folder in (package, package / "messages"):
        (folder / "__init__.py").touch()
    (package / "messages" / "found.py").write_text(PLUGIN)
    monkeypatch.syspath_prepend(tmp_path)
    config = AppConfig("plugged_in", import_module("plugged_in"))
    monkeypatch.setitem(apps.app_configs, "plugged_in", config)
    autodiscover()
    assert "found-by-itself" in {each.key for each in message_types()}
    autodiscover()
    for name in [each for each in sys.modules if each.startswith("plugged_in")]:
        monkeypatch.delitem(sys.modules, name)


def test_the_command_lists_every_type() -> None:
    out = StringIO()
    call_command("list_message_types", stdout=out)
    lines = dict(line.split("\t", 1) for line in out.getvalue().splitlines())
    assert list(lines) == sorted(each.key for each in message_types())
    assert lines["booking-new"] == "booking-request\tnew\tAppointment: booked"


def test_every_type_is_announced() -> None:
    rows = registry.workflow_rows()
    statement = capability_statement(software="x", version="1.1.0", now=NOW, rows=rows)
    for each in message_types():
        assert each.definition in str(statement)


# -- what holds for every type; a new one joins by being registered


@pytest.fixture(params=[each.key for each in message_types()])
def each_type(request: pytest.FixtureRequest) -> MessageType:
    return registry.message_type(request.param)


def test_its_facts(each_type: MessageType) -> None:
    assert each_type.key == each_type.key.lower().strip()
    assert each_type.key.replace("-", "").isalnum()
    assert len(each_type.key) <= 60, "it is a column of the message log"
    assert each_type.label[0].isupper()
    assert not isabstract(type(each_type))
    assert each_type.reasons
    assert each_type.focus_statuses
    assert all(isinstance(each, MessageReason) for each in each_type.reasons)


def test_its_definition_is_known_and_of_its_event(each_type: MessageType) -> None:
    definition = DEFINITIONS[each_type.definition]
    assert definition.event == each_type.event
    assert each_type.focus_type in definition.limits


def test_its_row(each_type: MessageType) -> None:
    row = each_type.row()
    assert row.message_key == each_type.key
    assert row in registry.workflow_rows()


def test_it_is_sent_completely_or_not_at_all(each_type: MessageType) -> None:
    ours = {name: getattr(type(each_type), name) for name in ("addressing", "build", "handle_reply")}
    overridden = {name for name, method in ours.items() if method is not getattr(MessageType, name)}
    assert overridden in (set(), set(ours))
