"""gunicorn's configuration of the receiver, all of it from RECEIVER_* variables.

Use: `gunicorn -c python:bars_portal.exchange.receiver.server.config bars_portal.wsgi:application`, or
`python -m bars_portal.exchange.receiver.server`. Renewed certificate files are read by themselves
(tls.py); SIGHUP makes new workers.
"""

import os
from pathlib import Path

from gunicorn.workers.base import Worker

from bars_portal.exchange.receiver.server.environment import ServerSettings
from bars_portal.exchange.receiver.server.hooks import limit_heaps, note_started, spare_the_others
from bars_portal.metrics.serving import child_exit as child_exit
from bars_portal.metrics.serving import on_exit as on_exit
from bars_portal.metrics.serving import prepare_gunicorn, serve

prepare_gunicorn("receiver")

_settings = ServerSettings.read(os.environ)

bind = _settings.bind
workers = _settings.workers
threads = _settings.threads
worker_class = "bars_portal.exchange.receiver.server.worker.ReceiverWorker"
worker_connections = 500
if Path("/dev/shm").is_dir():  # noqa: S108 - gunicorn's heartbeat file: unlinked at once; a disk would stall it
    worker_tmp_dir = "/dev/shm"  # noqa: S108 - see above

# gunicorn speaks of https when it sees these two; the worker makes the context.
certfile = str(_settings.cert_file)
keyfile = str(_settings.key_file)

# A closed connection costs the proxy a handshake.
keepalive = 75
timeout = 30
graceful_timeout = 10
limit_request_line = 8190
# A stopping or starting receiver is told by signals; nothing listens beside the port.
control_socket_disable = True
# No proxy in front: forwarded addresses and schemes are hearsay.
forwarded_allow_ips = ""

logger_class = "bars_portal.exchange.receiver.server.hooks.PlainAccessLog"
accesslog = "-"


def post_worker_init(worker: Worker) -> None:
    """gunicorn's hook: in each new worker, once it hears signals and before its threads."""
    limit_heaps()
    note_started()
    serve("receiver")
    worker.log.info("Worker ready (pid: %s)", worker.pid)


def worker_exit(_server: object, worker: Worker) -> None:
    """gunicorn's hook: in a worker that ends."""
    spare_the_others(worker)
