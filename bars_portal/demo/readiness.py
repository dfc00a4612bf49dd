"""Waiting until every process answers that it is ready."""

import time
import urllib.error
import urllib.request

from bars_portal.demo.ports import Ports
from bars_portal.demo.processes import Children

_PATIENCE_SECONDS = 60.0


def wait_until_ready(ports: Ports, children: Children) -> None:
    """Raises ChildEnded when a child dies meanwhile, TimeoutError when one never gets ready."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    for name, port in (("portal", ports.portal), ("receiver", ports.receiver_health)):
        while not is_ready(port):
            children.require_running()
            if time.monotonic() > deadline:
                raise TimeoutError(f"The {name} did not get ready within {_PATIENCE_SECONDS:.0f} s.")
            time.sleep(0.1)


def is_ready(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health/ready", timeout=5) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False
