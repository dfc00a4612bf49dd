"""The image's HEALTHCHECK: asks whichever process this container runs (BARS_PROCESS); exit code 0 is good."""

import os
import sys
from http.client import HTTPConnection, HTTPException
from subprocess import DEVNULL, TimeoutExpired, run

_CELERY = [
    sys.executable,
    "-m",
    "celery",
    "--app",
    "bars_portal.celery:app",
    "inspect",
    "ping",
    "--timeout",
    "4",
]


def main() -> int:
    process = os.environ.get("BARS_PROCESS", "portal")
    if process == "worker":
        return _worker()
    if process == "receiver":
        port = int(os.environ.get("RECEIVER_PORT", "8443")) + 1
        return _answers(int(os.environ.get("RECEIVER_HEALTH_PORT", port)))
    return _answers(int(os.environ.get("PORTAL_BIND", ":8000").rpartition(":")[2]))


def _answers(port: int) -> int:
    """Ready over plain HTTP; as a load balancer asks, so that host and scheme rules of production hold."""
    host = os.environ.get("ALLOWED_HOSTS", "localhost").partition(",")[0].strip().lstrip(".")
    connection = HTTPConnection("127.0.0.1", port, timeout=6)
    try:
        connection.request("GET", "/health/ready", headers={"Host": host, "X-Forwarded-Proto": "https"})
        return 0 if connection.getresponse().status == 200 else 1
    except (OSError, HTTPException):
        return 1
    finally:
        connection.close()


def _worker() -> int:
    try:
        return run(_CELERY, stdout=DEVNULL, stderr=DEVNULL, timeout=7, check=False).returncode
    except TimeoutExpired:
        return 1


if __name__ == "__main__":
    sys.exit(main())
