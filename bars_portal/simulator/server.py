"""Runs the application under gunicorn: one worker, because what it remembers lives in that process."""

import logging
from collections.abc import Mapping
from threading import Event
from typing import Any

from gunicorn.app.base import BaseApplication

from bars_portal.simulator.app import WsgiApp, create_app
from bars_portal.simulator.config import Config

THREADS = 16
KEEP_ALIVE_SECONDS = 75
STOP_SECONDS = 3


class Server(BaseApplication):  # type: ignore[misc]  # gunicorn ships no types
    """gunicorn without its command line and without its control socket."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._stopping = Event()
        super().__init__()

    def load_config(self) -> None:
        """Called by gunicorn: our settings, nothing from files or the environment."""
        for name, value in self._settings().items():
            self.cfg.set(name, value)

    def load(self) -> WsgiApp:
        """Called by gunicorn in the worker: threads and connections must not be shared across its fork."""
        return create_app(self._config, sleep=self._stopping.wait)

    def _settings(self) -> Mapping[str, Any]:
        return {
            "bind": f"{self._config.host}:{self._config.port}",
            "worker_class": "gthread",
            "workers": 1,
            "threads": THREADS,
            "keepalive": KEEP_ALIVE_SECONDS,
            "graceful_timeout": STOP_SECONDS,
            "loglevel": "warning",
            "control_socket_disable": True,
            "worker_tmp_dir": str(self._config.state_dir),
            "limit_request_line": 8190,
            "worker_exit": self._wake_drills,
        }

    def _wake_drills(self, _server: object, _worker: object) -> None:
        # A drill may be sleeping in a thread, and Python waits for threads before it ends.
        self._stopping.set()


def serve(config: Config) -> None:
    """Serves until SIGTERM or SIGINT. Raises OSError when the state folder cannot be made."""
    config.state_dir.mkdir(parents=True, exist_ok=True)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s simulator %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    Server(config).run()
