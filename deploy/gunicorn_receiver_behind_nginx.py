"""gunicorn's configuration of the receiver where nginx terminates mutual TLS (deploy/nginx.conf).

Use: `BARS_PROCESS=receiver BARS_PEER_SOURCE=proxy BARS_TRUSTED_PROXIES=unix
gunicorn -c deploy/gunicorn_receiver_behind_nginx.py bars_portal.wsgi:application`. Nobody but nginx may reach
the socket: whoever does may claim any certificate.
"""

import sys
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured
from gunicorn.workers.base import Worker

from bars_portal.exchange.receiver.server.hooks import limit_heaps, note_started, spare_the_others
from bars_portal.exchange.receiver.server.tls import require_own_chain
from bars_portal.metrics.serving import child_exit as child_exit
from bars_portal.metrics.serving import on_exit as on_exit
from bars_portal.metrics.serving import prepare_gunicorn, serve
from bars_portal.settings.environment import env

prepare_gunicorn("receiver")
# nginx cannot tell one environment's chain from another's: name the file that it trusts, and it is looked at.
if env.text("RECEIVER_CA_FILE", ""):
    try:
        require_own_chain(env.file("RECEIVER_CA_FILE"), env.text("BARS_ENVIRONMENT", "simulator"))
    except ImproperlyConfigured as problem:
        sys.exit(f"The receiver cannot start: {problem}")

bind = env.text("RECEIVER_BIND", "unix:/run/bars/receiver.sock")
# The socket is for its owner and group: nginx joins the group.
umask = 0o007
workers = env.whole("RECEIVER_WORKERS", 2, 1, 64)
# Half a request holds no thread, although nginx hands on only whole ones.
worker_class = "bars_portal.exchange.receiver.server.bounded_worker.BoundedWorker"
threads = env.whole("RECEIVER_THREADS", 16, 1, 256)
if Path("/dev/shm").is_dir():  # noqa: S108 - gunicorn's heartbeat file: unlinked at once; a disk would stall it
    worker_tmp_dir = "/dev/shm"  # noqa: S108 - see above

keepalive = 75
timeout = 30
graceful_timeout = 10
limit_request_line = 8190
control_socket_disable = True
# Files in pieces through the bounded socket.
sendfile = False

logger_class = "bars_portal.exchange.receiver.server.hooks.PlainAccessLog"
accesslog = "-"


def post_worker_init(_worker: object) -> None:
    """gunicorn's hook: in each new worker, before its threads."""
    limit_heaps()
    note_started()
    serve("receiver")


def worker_exit(_server: object, worker: Worker) -> None:
    """gunicorn's hook: in a worker that ends."""
    spare_the_others(worker)
