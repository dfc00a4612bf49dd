"""`python -m bars_portal.exchange.receiver.server [module:application]`: the receiver under mutual TLS."""

import os
import ssl
import sys

from django.core.exceptions import ImproperlyConfigured
from gunicorn.app.wsgiapp import WSGIApplication

from bars_portal.exchange.receiver.server.environment import ServerSettings
from bars_portal.exchange.receiver.server.tls import server_context


def main(arguments: list[str]) -> None:
    """Becomes gunicorn's master; returns never."""
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


if __name__ == "__main__":
    main(sys.argv[1:])
