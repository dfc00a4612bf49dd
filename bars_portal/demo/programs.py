"""The programs that make up the demo, and how each is started."""

import sys
from collections.abc import Mapping
from pathlib import Path

from bars_portal.credentials.local_pki import PkiFiles
from bars_portal.demo.ports import Ports
from bars_portal.demo.processes import Program
from bars_portal.demo.setup import receiver_environment, simulator_arguments

_CELERY = ["-A", "bars_portal.celery:app", "worker", "--beat", "--pool", "threads", "--concurrency", "8"]
_QUIET = ["--loglevel", "WARNING", "--without-mingle", "--without-gossip"]


def programs(var: Path, ports: Ports, pki: PkiFiles, shared: Mapping[str, str]) -> dict[str, Program]:
    """By name, in the order of their start."""
    receiver = {**shared, **receiver_environment(ports, pki)}
    portal = {**shared, "PORTAL_BIND": f"127.0.0.1:{ports.portal}", "PORTAL_WORKERS": "1"}
    server = "bars_portal.exchange.receiver.server"
    gunicorn = ["gunicorn", "-c", "deploy/gunicorn_portal.py", "bars_portal.wsgi:application"]
    return {
        "simulator": _python(["bars_portal.simulator", *simulator_arguments(var, ports, pki)], {}),
        "receiver": _python([server], receiver),
        "receiver's health": _python([f"{server}.health"], receiver),
        "portal": _python(gunicorn, portal),
        "worker": _python(["celery", *_CELERY, *_QUIET], {**shared, "BARS_PROCESS": "worker"}),
    }


def _python(module: list[str], environment: Mapping[str, str]) -> Program:
    return Program([sys.executable, "-m", *module], environment)
