"""A worker that is asked to end does so, whatever its broker does: real programs, no demo needed."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.chaos.surroundings import Broker
from tests.console import ROOT
from tests.live.partner import wait_until

# compose.yaml gives it 45 s, of which 40 are for what is under way; here is nothing.
MOST_SECONDS = 12.0
_CELERY = ["celery", "-A", "bars_portal.celery:app", "worker", "--pool", "threads", "--concurrency", "1"]


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    if shutil.which("redis-server") is None:
        pytest.skip("no redis-server here")
    made = Broker(tmp_path)
    made.start()
    yield made
    made.kill()


@pytest.mark.further
def test_a_worker_ends_while_its_broker_is_frozen(broker: Broker, tmp_path: Path) -> None:
    named = {
        "DJANGO_SETTINGS_MODULE": "bars_portal.settings.demo",
        "BARS_VAR": str(tmp_path),
        "BARS_PROCESS": "worker",
        "BROKER_URL": broker.url,
        "DATABASE_URL": f"postgresql://nobody@/nothing?host={tmp_path}",
    }
    log = tmp_path / "worker.log"
    with log.open("wb") as output:
        worker = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-m", *_CELERY, "--loglevel", "INFO"],
            cwd=ROOT,
            env={**os.environ, **named},
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        wait_until(lambda: "celery@" in log.read_text() and " ready." in log.read_text())
        broker.signal(signal.SIGSTOP)
        # It has noticed, and waits for an answer.
        time.sleep(2)
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(MOST_SECONDS) == 0, log.read_text()[-2000:]
    finally:
        worker.kill()
        worker.wait()
        broker.signal(signal.SIGCONT)
