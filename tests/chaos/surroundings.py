"""What stands around a run's demo before it starts: a broker, a small disk, clocks that can be set."""

import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.stack import free_ports

_FAKETIME = "faketime/libfaketimeMT.so.1"


@dataclass
class Surroundings:
    """The demo's environment, the module that starts it, and what a strike may get hold of."""

    environment: Mapping[str, str] = field(default_factory=dict)
    module: str = "bars_portal.demo"
    broker: "Broker | None" = None
    disk: Path | None = None
    # Each program's clock, by the program's name.
    clocks: Path | None = None


# Beside the folder of the run. Raises NotHere.
Around = Callable[[Path], AbstractContextManager[Surroundings]]


class NotHere(Exception):
    """This machine lacks what the fault needs; the text says what."""


@contextmanager
def nothing(_place: Path) -> Iterator[Surroundings]:
    yield Surroundings()


class Broker:
    """A Redis of the run's own, without anything on its disk."""

    def __init__(self, place: Path) -> None:
        (self._port,) = free_ports(1)
        self._place = place
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self._port}/0"

    def start(self) -> None:
        options = ["--bind", "127.0.0.1", "--port", str(self._port), "--dir", str(self._place)]
        log = (self._place / "redis.log").open("ab")
        with log:
            self._process = subprocess.Popen(
                ["redis-server", *options, "--save", "", "--appendonly", "no"], stdout=log, stderr=log
            )
        deadline = time.monotonic() + 10
        while not self._answers():
            assert time.monotonic() < deadline, "Redis does not start"
            time.sleep(0.05)

    def _answers(self) -> bool:
        # Whoever collects tests would read it, and it is large.
        import redis

        try:
            with redis.Redis(port=self._port, socket_timeout=1) as asking:
                return bool(asking.ping())
        except redis.RedisError:
            return False

    def kill(self) -> None:
        self.signal(signal.SIGKILL)
        assert self._process is not None
        self._process.wait()

    def signal(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)


@contextmanager
def redis_broker(place: Path) -> Iterator[Surroundings]:
    if shutil.which("redis-server") is None:
        raise NotHere("no redis-server here (Debian: apt-get install redis-server)")
    broker = Broker(place)
    broker.start()
    try:
        yield Surroundings({"BROKER_URL": broker.url}, broker=broker)
    finally:
        broker.kill()


@contextmanager
def small_disk(place: Path) -> Iterator[Surroundings]:
    """The folder of the demo's file broker, on a disk of one megabyte."""
    folder = place / "celery"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)]
    if not shutil.which("mount") or subprocess.run(mount, capture_output=True, check=False).returncode:
        raise NotHere("no right to mount a small tmpfs")
    try:
        yield Surroundings(disk=folder)
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


@contextmanager
def own_clocks(place: Path) -> Iterator[Surroundings]:
    """Each program under libfaketime, with a file that says how far its clock is off; none is yet."""
    library = next((each for each in Path("/usr/lib").glob(f"*/{_FAKETIME}")), None)
    if library is None:
        raise NotHere("no libfaketime here (Debian: apt-get install faketime)")
    folder = place / "clocks"
    folder.mkdir()
    yield Surroundings(
        {"CHAOS_FAKETIME": str(library), "CHAOS_CLOCKS": str(folder)},
        module="tests.chaos.own_clocks",
        clocks=folder,
    )


def set_clock(folder: Path, program: str, seconds: int) -> None:
    """How far a program's clock is off from now on; read whole or not at all."""
    unfinished = folder / f"{program}.part"
    unfinished.write_text(f"{seconds:+d}\n")
    unfinished.rename(folder / program)
