"""gunicorn's configuration of the receiver, all of it from RECEIVER_* variables.

Use: `gunicorn -c python:bars_portal.exchange.receiver.server.config bars_portal.wsgi:application`, or
`python -m bars_portal.exchange.receiver.server`. SIGHUP makes workers that read the certificate files anew.
"""

import os
import ssl
from pathlib import Path

from gunicorn.workers.base import Worker

from bars_portal.exchange.receiver.server.environment import ServerSettings
from bars_portal.exchange.receiver.server.tls import server_context
from bars_portal.exchange.receiver.server.worker import limit_heaps

_settings = ServerSettings.read(os.environ)

bind = _settings.bind
workers = _settings.workers
threads = _settings.threads
worker_class = "bars_portal.exchange.receiver.server.worker.ReceiverWorker"
worker_connections = 500
if Path("/dev/shm").is_dir():  # noqa: S108 - gunicorn's heartbeat file: unlinked at once; a disk would stall it
    worker_tmp_dir = "/dev/shm"  # noqa: S108 - see above

# gunicorn speaks TLS when it sees these two; the context itself comes from the hook below.
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

logger_class = "bars_portal.exchange.receiver.server.access_log.PlainAccessLog"
accesslog = "-"


def ssl_context(_config: object, _default_factory: object) -> ssl.SSLContext:
    """gunicorn's hook: read again by each new worker."""
    return server_context(_settings)


def post_worker_init(worker: Worker) -> None:
    """gunicorn's hook: in each new worker, once it hears signals and before its threads."""
    limit_heaps()
    worker.log.info("Worker ready (pid: %s)", worker.pid)
