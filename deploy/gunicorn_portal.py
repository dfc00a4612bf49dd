"""gunicorn's configuration of the portal: plain HTTP behind a front that speaks TLS to browsers.

An example of such a front is deploy/nginx_portal.conf.
"""

from pathlib import Path

from gunicorn.workers.base import Worker

from bars_portal.exchange.receiver.server.hooks import note_started, spare_the_others
from bars_portal.metrics.serving import child_exit as child_exit
from bars_portal.metrics.serving import on_exit as on_exit
from bars_portal.metrics.serving import prepare_gunicorn, serve
from bars_portal.settings.environment import env

prepare_gunicorn("portal")

bind = env.text("PORTAL_BIND", "0.0.0.0:8000")
workers = env.whole("PORTAL_WORKERS", 2, 1, 64)
# Half a request holds no thread.
worker_class = "bars_portal.exchange.receiver.server.bounded_worker.BoundedWorker"
threads = env.whole("PORTAL_THREADS", 8, 1, 256)
if Path("/dev/shm").is_dir():  # noqa: S108 - gunicorn's heartbeat file: unlinked at once; a disk would stall it
    worker_tmp_dir = "/dev/shm"  # noqa: S108 - see above

# Longer than the usual idle time of a load balancer, which must be the one to close.
keepalive = 75
# A page waits for the receiving side for a few seconds at most; the worker does the long waiting.
timeout = 30
graceful_timeout = 15
control_socket_disable = True
# Files in pieces through the bounded socket.
sendfile = False
# Whose X-Forwarded-* counts: the load balancer's addresses.
forwarded_allow_ips = env.text("FORWARDED_ALLOW_IPS", "127.0.0.1")

# Method, path, status, time: queries and headers stay out of the log.
logger_class = "bars_portal.exchange.receiver.server.hooks.PlainAccessLog"
accesslog = "-"


def post_worker_init(_worker: Worker) -> None:
    """gunicorn's hook: in each new worker, before its threads."""
    note_started()
    serve("portal")


def worker_exit(_server: object, worker: Worker) -> None:
    """gunicorn's hook: in a worker that ends."""
    spare_the_others(worker)
