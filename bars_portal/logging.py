"""Log lines that cannot name a patient: of an exception, only its type and the places it passed."""

import logging
import traceback
from collections.abc import Mapping
from copy import copy
from types import TracebackType
from typing import Any, TypeAlias

ExcInfo: TypeAlias = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]

# Celery passes the text of a failed task's exception, its traceback and arguments as values of the message.
_CELERY = frozenset({"exc", "traceback", "args", "kwargs"})
_LEFT_OUT = "(left out)"


class PlainFormatter(logging.Formatter):
    """The texts of exceptions may quote what somebody typed or sent, so they are left out."""

    def format(self, record: logging.LogRecord) -> str:
        plain = copy(record)
        plain.args = _plain_args(record)
        # Another handler's formatter may have left its own text here.
        plain.exc_text = None
        return super().format(plain)

    def formatException(self, ei: ExcInfo) -> str:
        kind, _, trace = ei
        if kind is None:
            return ""
        frames = traceback.extract_tb(trace)
        places = "\n".join(f"  {frame.filename}:{frame.lineno} {frame.name}" for frame in frames[-12:])
        return f"{kind.__module__}.{kind.__qualname__}\n{places}"


def _plain_args(record: logging.LogRecord) -> Any:
    if isinstance(record.args, Mapping):
        from_celery = record.name.startswith("celery.")
        return {
            name: _LEFT_OUT if from_celery and name in _CELERY else _plain(value)
            for name, value in record.args.items()
        }
    return tuple(_plain(value) for value in record.args or ())


def _plain(value: object) -> object:
    return type(value).__qualname__ if isinstance(value, BaseException) else value
