"""Running the readiness checks: each in bounded time, however long the checked part hangs."""

from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as LateError

Check = Callable[[], None]
OK = "ok"


class CheckFailed(Exception):
    """A part is not ready; the text is a few plain words, shown to whoever asks."""


class Checks:
    """Named checks. A hanging one is not started again until it ends, so that threads do not pile up."""

    def __init__(self, checks: Mapping[str, Check], *, seconds: float) -> None:
        self._checks, self._seconds = dict(checks), seconds
        self._pool = ThreadPoolExecutor(max_workers=max(1, len(checks)))
        self._running: dict[str, Future[None]] = {}

    def run(self) -> dict[str, str]:
        """Name -> "ok" or what is wrong."""
        runs = {name: self._start(name) for name in self._checks}
        return {name: self._result(run) for name, run in runs.items()}

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _start(self, name: str) -> Future[None]:
        earlier = self._running.get(name)
        if earlier is None or earlier.done():
            self._running[name] = self._pool.submit(self._checks[name])
        return self._running[name]

    def _result(self, run: Future[None]) -> str:
        try:
            run.result(timeout=self._seconds)
        except LateError:
            return "no answer in time"
        except CheckFailed as failed:
            return str(failed)
        except Exception as error:  # noqa: BLE001 - a broken check means not ready, never a dead health server
            return type(error).__name__
        return OK
