"""`python -m bars_portal.exchange.receiver.server.health`: the receiver's health, beside the receiver."""

import os
import signal
import sys

from bars_portal.exchange.receiver.server.environment import BadEnvironment
from bars_portal.exchange.receiver.server.health.checks import Check, Checks
from bars_portal.exchange.receiver.server.health.handshake import handshake_check
from bars_portal.exchange.receiver.server.health.service import HealthServer
from bars_portal.exchange.receiver.server.health.settings import HealthSettings

CHECK_SECONDS = 2.0


def main() -> None:
    """Serves until SIGTERM or SIGINT."""
    try:
        settings = HealthSettings.read(os.environ)
    except BadEnvironment as problem:
        sys.exit(f"The receiver's health cannot start: {problem}")
    checks = Checks({"tls": _handshake(settings), "database": _database()}, seconds=CHECK_SECONDS)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with HealthServer((settings.health_host, settings.health_port), checks) as server:
        try:
            server.serve_forever(poll_interval=0.2)
        except KeyboardInterrupt:
            sys.exit(0)
        finally:
            checks.close()


def _handshake(settings: HealthSettings) -> Check:
    return handshake_check(
        host=settings.host,
        port=settings.port,
        server_name=settings.server_name,
        ca_file=settings.ca_file,
        cert_file=settings.cert_file,
        key_file=settings.key_file,
        seconds=CHECK_SECONDS,
    )


def _database() -> Check:
    """Django is set up here only: everything else in this package works without."""
    import django

    os.environ.setdefault("BARS_PROCESS", "receiver")
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bars_portal.settings.production")
    django.setup()
    from bars_portal.exchange.receiver.server.health.database import check_database

    return check_database


if __name__ == "__main__":
    main()
