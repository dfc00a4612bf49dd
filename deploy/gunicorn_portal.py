"""gunicorn's configuration of the portal: plain HTTP behind a load balancer that speaks TLS to browsers."""

from pathlib import Path

from bars_portal.settings.environment import env

bind = env.text("PORTAL_BIND", "0.0.0.0:8000")
workers = env.whole("PORTAL_WORKERS", 2, 1, 64)
worker_class = "gthread"
threads = env.whole("PORTAL_THREADS", 8, 1, 256)
if Path("/dev/shm").is_dir():  # noqa: S108 - gunicorn's heartbeat file: unlinked at once; a disk would stall it
    worker_tmp_dir = "/dev/shm"  # noqa: S108 - see above

# Longer than the usual idle time of a load balancer, which must be the one to close.
keepalive = 75
# A page waits for the receiving side for a few seconds at most; the worker does the long waiting.
timeout = 30
graceful_timeout = 15
control_socket_disable = True
# Whose X-Forwarded-* counts: the load balancer's addresses.
forwarded_allow_ips = env.text("FORWARDED_ALLOW_IPS", "127.0.0.1")

# Method, path, status, time: queries and headers stay out of the log.
logger_class = "bars_portal.exchange.receiver.server.access_log.PlainAccessLog"
accesslog = "-"
