"""Everything in place before the first program starts: keys, files, migrations, data."""

import os
from pathlib import Path

from bars_portal.credentials.local_pki import PkiFiles
from bars_portal.demo import setup
from bars_portal.demo.ports import Ports


def prepare(var: Path, ports: Ports, database_url: str) -> tuple[PkiFiles, dict[str, str]]:
    """Idempotent. Returns the certificates and the environment that portal, receiver and worker share."""
    pki, credentials = setup.ensure_pki(var), setup.ensure_credentials(var)
    shared = setup.portal_environment(var, ports, credentials, database_url)
    setup.write_simulator_files(var, ports, credentials)
    setup.write_demo_env(var, shared)
    setup.write_manage_env(var, shared)
    os.environ.update(shared)
    _prepare_data()
    return pki, shared


def _prepare_data() -> None:
    """In this process: a second interpreter would cost the start two seconds."""
    import django
    from django.core.management import call_command
    from django.db import connection

    django.setup()
    call_command("migrate", verbosity=0, interactive=False)
    call_command("seed_demo", verbosity=1)
    connection.close()
    connection.close_pool()  # type: ignore[attr-defined]  # of the PostgreSQL backend
