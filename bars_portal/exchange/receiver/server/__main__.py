"""`python -m bars_portal.exchange.receiver.server [module:application]`: the receiver under mutual TLS.

With `--nginx-names` it writes which certificate nginx shows for which name (deploy/nginx.conf), and ends.
"""

import os
import ssl
import sys
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured
from gunicorn.app.wsgiapp import WSGIApplication

from bars_portal.exchange.receiver.server.environment import ServerSettings
from bars_portal.exchange.receiver.server.tls import nginx_names, server_context


def main(arguments: list[str]) -> None:
    """Becomes gunicorn's master, and then returns never."""
    if arguments == ["--nginx-names"]:
        _write_names()
        return
    try:
        # Tried here, where a fault is one line instead of a worker that dies again and again.
        server_context(ServerSettings.read(os.environ), left_out=[])
    except ImproperlyConfigured as problem:
        sys.exit(f"The receiver cannot start: {problem}")
    except ssl.SSLError as problem:
        sys.exit(f"The receiver cannot start: its certificate files are unusable ({problem.reason}).")
    os.environ.setdefault("BARS_PROCESS", "receiver")
    application = arguments[0] if arguments else "bars_portal.wsgi:application"
    sys.argv = ["receiver", "-c", "python:bars_portal.exchange.receiver.server.config", application]
    WSGIApplication("%(prog)s [OPTIONS] [APP_MODULE]").run()


def _write_names() -> None:
    """The files of an organisation that do not fit stop no other: they are told, and left out."""
    left_out: list[Path] = []
    try:
        lines = nginx_names(ServerSettings.read(os.environ), left_out=left_out)
    except ImproperlyConfigured as problem:
        sys.exit(f"No names can be told: {problem}")
    sys.stdout.writelines(f"{line}\n" for line in lines)
    for each in left_out:
        sys.stderr.write(f"Left out, because key and certificate do not fit: {each}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
