"""Spans hang together within our processes, name nobody, and tell the NHS API nothing."""

import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from bars_portal import correlation, tracing
from bars_portal.exchange.transport.auth import NoToken
from bars_portal.exchange.transport.client import BarsClient, build_http
from tests.unit.exchange_transport.servers import reply, serving

ID = "0d3f3e0a-8d3e-4a34-9d3e-2f6a1c5b7e90"


@pytest.fixture
def spans() -> Iterator[InMemorySpanExporter]:
    exporter = InMemorySpanExporter()
    tracing.use("test", SimpleSpanProcessor(exporter))
    yield exporter
    tracing.stop()
    correlation.forget()


def test_a_page_and_its_task_are_one_trace_with_one_id(spans: InMemorySpanExporter) -> None:
    headers: dict[str, Any] = {}
    correlation.begin(ID)
    with tracing.span("answer"):
        tracing.carry(headers)
    with tracing.span("task", carried=headers, task="bars_portal.audit.tasks.seal"):
        pass
    page, task = spans.get_finished_spans()
    assert task.parent is not None
    assert task.parent.span_id == page.context.span_id
    assert {each.attributes["correlation_id"] for each in (page, task) if each.attributes} == {ID}


def test_a_failure_is_not_quoted(spans: InMemorySpanExporter) -> None:
    with pytest.raises(ValueError, match="Quill"), tracing.span("answer"):
        raise ValueError("Quill")
    assert "Quill" not in "".join(each.to_json() for each in spans.get_finished_spans())


def test_nothing_of_it_goes_to_the_api_and_a_call_is_named_by_its_template(
    spans: InMemorySpanExporter,
) -> None:
    with serving() as server:
        server.script(reply(200))
        client = BarsClient(
            base_url=server.url,
            tokens_of=lambda _: NoToken(),
            http=build_http(verify=True),
            clock=lambda: datetime.now(UTC),
        )
        with tracing.span("answer"):
            client.read(f"/Appointment/{uuid4()}", headers={})
        client.close()
        (asked,) = server.received
    assert not {"traceparent", "tracestate", "baggage"} & {name.lower() for name in asked.headers}
    call, _ = spans.get_finished_spans()
    assert (call.attributes or {})["path"] == "/Appointment/{id}"


@pytest.mark.parametrize("packages", [True, False])
def test_without_an_endpoint_or_the_packages_there_are_none(
    monkeypatch: pytest.MonkeyPatch, packages: bool
) -> None:
    if not packages:
        monkeypatch.setattr(tracing, "find_spec", lambda name: None)
    tracing.set_up("test", endpoint="" if packages else "http://127.0.0.1:9")
    headers: dict[str, Any] = {}
    with tracing.span("answer") as current:
        tracing.carry(headers)
    assert current is None
    assert headers == {}
    assert "opentelemetry.exporter.otlp.proto.http.trace_exporter" not in sys.modules
