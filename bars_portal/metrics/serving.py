"""Figures on a port of their own: PORTAL_, RECEIVER_ and WORKER_METRICS_PORT; none set, none open.

Under gunicorn there are several processes behind one port. Each writes its figures into a folder of files
(prometheus-client's multiprocess mode), and each listens: whichever the system picks answers for all. The
master only tidies up, and never has a thread beside a fork (docs/adr/0044).
"""

import logging
import os
import shutil
import socketserver
import tempfile
import threading
import time
from wsgiref.simple_server import WSGIServer, make_server

from bars_portal.settings.environment import env

_FOLDER = "PROMETHEUS_MULTIPROC_DIR"
_SAMPLES_EVERY_SECONDS = 5.0

logger = logging.getLogger(__name__)


def port_of(process: str) -> int:
    """0: its figures are not shown."""
    match process:
        case "portal":
            return env.whole("PORTAL_METRICS_PORT", 0, 0, 65535)
        case "receiver":
            return env.whole("RECEIVER_METRICS_PORT", 0, 0, 65535)
        case _:
            return env.whole("WORKER_METRICS_PORT", 0, 0, 65535)


def prepare_gunicorn(process: str) -> None:
    """In its configuration, before anything imports prometheus_client, which asks for the folder once."""
    if port_of(process):
        os.environ[_FOLDER] = tempfile.mkdtemp(prefix=f"bars-metrics-{process}-")


class _Server(socketserver.ThreadingMixIn, WSGIServer):
    """All workers listen at the one port."""

    daemon_threads = True
    allow_reuse_port = True


def serve(process: str, *collectors: object) -> None:
    """Show this process's figures, or under gunicorn those of all its siblings; `collectors` beside them."""
    port = port_of(process)
    if not port:
        return
    from prometheus_client import REGISTRY, CollectorRegistry, make_wsgi_app
    from prometheus_client.exposition import _SilentHandler
    from prometheus_client.multiprocess import MultiProcessCollector

    registry = REGISTRY
    if _FOLDER in os.environ:
        registry = CollectorRegistry()
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]  # the package has few types
    for each in collectors:
        registry.register(each)  # type: ignore[arg-type]  # anything that collects
    host = env.text("METRICS_HOST", "127.0.0.1")
    try:
        server = make_server(host, port, make_wsgi_app(registry), _Server, _SilentHandler)
    except OSError:
        # The portal works without being looked at.
        logger.exception("The figures cannot be shown at port %d", port)
        return
    threading.Thread(target=server.serve_forever, name="metrics", daemon=True).start()
    threading.Thread(target=_take_samples, name="samples", daemon=True).start()


def _take_samples() -> None:
    from bars_portal.metrics.figures import take_samples

    while True:
        try:
            take_samples()
        except Exception:  # what cannot be looked at now is looked at again
            logger.exception("A figure could not be taken")
        time.sleep(_SAMPLES_EVERY_SECONDS)


# -- gunicorn's hooks in its master: what a worker counted stays counted, its gauges go with it


def child_exit(_server: object, worker: object) -> None:
    if _FOLDER in os.environ:
        from prometheus_client.multiprocess import mark_process_dead

        mark_process_dead(worker.pid)  # type: ignore[attr-defined,no-untyped-call]  # gunicorn has no types


def on_exit(_server: object) -> None:
    folder = os.environ.get(_FOLDER)
    if folder:
        shutil.rmtree(folder, ignore_errors=True)
