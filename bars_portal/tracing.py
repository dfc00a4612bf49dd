"""Traces, for whoever has a collector (OTEL_EXPORTER_OTLP_ENDPOINT); without it or the packages, none.

Spans are ours, not those of instrumenting packages, which name them after whole addresses. Their context goes
along with a task (bars_portal.celery) and never beyond our processes: the NHS API is told nothing of it.
"""

import logging
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from contextlib import AbstractContextManager, contextmanager
from importlib.util import find_spec
from typing import Any

from bars_portal import correlation

Attributes = Mapping[str, str | int | float | bool]
# Opens a span of this name, in the context that came along.
_Opener = Callable[[str, Attributes, Mapping[str, str]], AbstractContextManager[Any]]

logger = logging.getLogger(__name__)
_open: _Opener | None = None


def set_up(process: str, *, endpoint: str) -> None:
    """Once in each process, after its forks. `process` is the name of the service that traces show.

    The packages read the endpoint themselves, with all else that OpenTelemetry has variables for.
    """
    if not endpoint:
        return
    if find_spec("opentelemetry.sdk") is None or find_spec("opentelemetry.exporter") is None:
        logger.warning("Traces are wanted, but the packages of requirements/tracing.txt are not there")
        return
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    use(process, BatchSpanProcessor(OTLPSpanExporter()))


def use(process: str, processor: Any) -> None:
    """From here on spans go to this SpanProcessor of OpenTelemetry."""
    global _open
    from opentelemetry.propagate import extract
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider

    provider = TracerProvider(resource=Resource.create({"service.name": f"bars-{process}"}))
    provider.add_span_processor(processor)
    tracer = provider.get_tracer("bars_portal")

    def opened(name: str, attributes: Attributes, carried: Mapping[str, str]) -> AbstractContextManager[Any]:
        context = extract(carried) if carried else None
        # Its own notes of an exception quote the text.
        return tracer.start_as_current_span(
            name,
            context=context,
            attributes=attributes,
            record_exception=False,
            set_status_on_exception=False,
        )

    _open = opened


def stop() -> None:
    global _open
    _open = None


@contextmanager
def span(name: str, carried: Mapping[str, str] | None = None, **attributes: str | int) -> Iterator[Any]:
    """A span for the block, or nothing. `name` and `attributes` are words of ours: nobody's values.

    It gives the span (or None), for what is only known at the end.
    """
    if _open is None:
        yield None
        return
    told = {**attributes, "correlation_id": correlation.current()}
    with _open(name, told, carried or {}) as current:
        yield current


def tell(current: Any, **attributes: str | int) -> None:
    """Add to a span what is known by now."""
    if current is not None:
        current.set_attributes(attributes)


def carry(headers: MutableMapping[str, Any]) -> None:
    """Put the context into a task's headers."""
    if _open is not None:
        from opentelemetry.propagate import inject

        inject(headers)
