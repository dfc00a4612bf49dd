"""Log lines that cannot name a patient: of an exception, only its type and the places it passed."""

import logging
import traceback
from types import TracebackType
from typing import TypeAlias

ExcInfo: TypeAlias = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]


class PlainFormatter(logging.Formatter):
    """The texts of exceptions may quote what somebody typed or sent, so they are left out."""

    def formatException(self, ei: ExcInfo) -> str:
        kind, _, trace = ei
        if kind is None:
            return ""
        frames = traceback.extract_tb(trace)
        places = "\n".join(f"  {frame.filename}:{frame.lineno} {frame.name}" for frame in frames[-12:])
        return f"{kind.__module__}.{kind.__qualname__}\n{places}"
