"""A real nginx with the shipped configuration: only places are put in."""

import contextlib
import http.client
import re
import shutil
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from bars_portal.credentials.local_pki import PkiFiles
from tests.integration.receiver_server.running import APPLICATION, LINE_SECONDS, ROOT, free_port
from tests.processes import children_of, command_of

NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
needs_nginx = pytest.mark.skipif(NGINX is None, reason="no nginx (apt-get install nginx-light)")


@dataclass(frozen=True)
class Front:
    """A running nginx before a running gunicorn."""

    port: int
    pki: PkiFiles
    folder: Path

    def context(self, name: str | None) -> ssl.SSLContext:
        context = ssl.create_default_context(cafile=str(self.pki.ca_chain))
        if name:
            context.load_cert_chain(self.pki.certificate(name), self.pki.key(name))
        return context

    def connect(self, name: str | None = "proxy-client") -> http.client.HTTPSConnection:
        return http.client.HTTPSConnection("127.0.0.1", self.port, timeout=10, context=self.context(name))

    @property
    def logs(self) -> str:
        """All that nginx wrote, and gunicorn."""
        return "".join(file.read_text() for file in sorted(self.folder.glob("*.log")))

    def wrote(self, text: str) -> bool:
        """Whether the line comes; it may be written a moment after the answer has arrived."""
        deadline = time.monotonic() + LINE_SECONDS
        while text not in self.logs and time.monotonic() < deadline:
            time.sleep(0.02)
        return text in self.logs

    def reload(self) -> None:
        """Until none of its workers takes a connection as before: those with a request under way go last."""
        before = children_of(int((self.folder / "nginx.pid").read_text()))
        subprocess.run([*self.command, "-s", "reload"], check=True, capture_output=True)
        deadline = time.monotonic() + LINE_SECONDS
        while any(_takes_connections(each) for each in before) and time.monotonic() < deadline:
            time.sleep(0.02)

    @property
    def command(self) -> list[str]:
        return [str(NGINX), "-e", str(self.folder / "error.log"), "-c", str(self.folder / "nginx.conf")]


def _takes_connections(worker: int) -> bool:
    command = command_of(worker)
    return command != "" and "shutting down" not in command


@contextlib.contextmanager
def fronted(
    configuration: str,
    gunicorn: str,
    pki: PkiFiles,
    folder: Path,
    places: Mapping[str, str],
    *,
    application: str = APPLICATION,
    environment: Mapping[str, str] | None = None,
) -> Iterator[Front]:
    """`configuration` and `gunicorn` are files of deploy/; `places` beyond ports, certificates and logs.

    `environment` is what an `application` of ours needs beside that.
    """
    front, backend = Front(free_port(), pki, folder), folder / "backend.sock"
    _write(front, (ROOT / "deploy" / configuration).read_text(), places)
    settings = {
        **(environment or {}),
        "PATH": "/usr/bin:/bin",
        "PYTHONPATH": str(ROOT),
        "COUNT_FILE": str(folder / "count"),
        "RECEIVER_BIND": f"unix:{backend}",
        "PORTAL_BIND": f"unix:{backend}",
        "BARS_PEER_SOURCE": "proxy",
        "BARS_TRUSTED_PROXIES": "unix",
    }
    program = [sys.executable, "-m", "gunicorn", "-c", str(ROOT / "deploy" / gunicorn), application]
    with (folder / "gunicorn.log").open("wb") as log, contextlib.ExitStack() as stack:
        for command in (program, front.command):
            started = subprocess.Popen(command, cwd=folder, env=settings, stdout=log, stderr=log)
            stack.callback(started.wait, timeout=15)
            stack.callback(started.terminate)
        _wait_until_up(front, backend)
        yield front


def _write(front: Front, text: str, places: Mapping[str, str]) -> None:
    folder, pki = front.folder, front.pki
    put_in = {
        r"/var/log/nginx": str(folder),
        r"listen 443 ssl": f"listen 127.0.0.1:{front.port} ssl",
        r"listen 80": f"listen unix:{folder}/plain.sock",
        r"unix:/run/bars/receiver\.sock|portal:8000": f"unix:{folder}/backend.sock",
        r"/etc/bars/(receiver|portal)\.": f"{pki.directory}/receiver.",
        r"/etc/bars/receiver;": f"{pki.directory}/receiver;",
        r"/etc/bars/receiver-names": f"{folder}/receiver-names",
        r"/etc/bars/ca-chain\.pem": str(pki.ca_chain),
        # Said in the head below, where it is root that runs the tests.
        r"user bars;\n": "",
        r"worker_processes auto": "worker_processes 1",
        **places,
    }
    for pattern, place in put_in.items():
        text = re.sub(pattern, place.replace("\\", r"\\"), text)
    temporary = "".join(
        f"{each}_temp_path {folder}/{each};\n"
        for each in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    # The backend's socket is for its owner and group.
    user = "user root;\n" if folder.owner() == "root" else ""
    head = f"daemon off;\n{user}pid {folder}/nginx.pid;\n"
    (folder / "nginx.conf").write_text(head + text.replace("http {\n", "http {\n" + temporary, 1))


def _wait_until_up(front: Front, backend: Path) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError), contextlib.closing(front.connect()) as connection:
            connection.request("GET", "/")
            # Ours says what is wrong with that; nginx alone, that nobody is behind it.
            if backend.exists() and connection.getresponse().status < 500:
                return
        time.sleep(0.05)
    raise AssertionError(f"nginx did not start:\n{front.logs}")
