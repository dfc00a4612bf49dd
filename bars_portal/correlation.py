"""Under which id everything is logged that happens now: the correlation id of BaRS where there is one.

Else it is the id of the page view. Celery's messages carry it (bars_portal.celery), log lines show it
(bars_portal.logging).
"""

from collections.abc import Iterator
from contextlib import contextmanager

from structlog.contextvars import bind_contextvars, bound_contextvars, clear_contextvars, get_contextvars

_ID, _OUTER = "correlation_id", "within"


def begin(correlation_id: object) -> None:
    """From here on, in this thread; what was before is forgotten."""
    clear_contextvars()
    bind_contextvars(**{_ID: str(correlation_id)})


def forget() -> None:
    """A thread that begins something else starts with nothing."""
    clear_contextvars()


def current() -> str:
    """ "" when there is none."""
    return str(get_contextvars().get(_ID, ""))


@contextmanager
def within(correlation_id: object) -> Iterator[None]:
    """For the block. The id that it stands in, a page's mostly, is logged beside it."""
    outer, inner = current(), str(correlation_id)
    if not inner or inner == outer:
        yield
        return
    with bound_contextvars(**{_ID: inner}, **({_OUTER: outer} if outer else {})):
        yield
