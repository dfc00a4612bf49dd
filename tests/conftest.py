"""What every test may use: PostgreSQL (embedded without DATABASE_URL), the running demo, the examples."""

import gc
import os
import shutil
from collections.abc import Generator, Iterator
from importlib import import_module
from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings as hypothesis_settings

from tests import profiles  # noqa: F401 - registers them
from tests.groups import GroupScheduling, import_in_turns, is_after_the_groups, place_of, step_back
from tests.once import keep_no_fields, keep_routes
from tests.sender_rules import judging_messages
from tests.template import migrated_template
from tests.worlds import WORLDS, Worlds, commits

if TYPE_CHECKING:
    from pytest_django import DjangoDbBlocker
    from xdist.remote import Producer

    from bars_portal.demo.processes import EmbeddedPostgres
    from tests.stack import Stack

ROOT = Path(__file__).resolve().parent.parent
# Where the processes of a parallel run meet: they inherit what the first one set.
_RUN_FOLDER = "BARS_TEST_RUN"
# The database is there, or asked for: it serves all processes, and is as quick as whoever starts it.
_SERVED = pytest.StashKey[bool]()
# Fixtures that the stack is behind.
_ON_THE_STACK = {"stack", "portal"}


# Another one is chosen with --hypothesis-profile.
hypothesis_settings.load_profile("quick")


def pytest_configure(config: pytest.Config) -> None:
    if _RUN_FOLDER not in os.environ:
        folder = os.environ[_RUN_FOLDER] = mkdtemp(prefix="bars_")
        config.add_cleanup(lambda: shutil.rmtree(folder, ignore_errors=True))
        config.add_cleanup(lambda: os.environ.__delitem__(_RUN_FOLDER))


def run_folder() -> Path:
    return Path(os.environ[_RUN_FOLDER])


@pytest.hookimpl(tryfirst=True)
def pytest_collection(session: pytest.Session) -> None:
    import_in_turns(session.config)


@pytest.hookimpl(wrapper=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> Iterator[None]:
    """After all others: what takes longest comes first, whatever database it needs."""
    yield
    items.sort(key=lambda item: place_of(item.nodeid))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: "Producer") -> "GroupScheduling":
    """In place of xdist's own: it cannot name a group to this pytest, and knows no order."""
    return GroupScheduling(config, log)


def pytest_collection_finish() -> None:
    """Thousands of tests stay until the end: no sweep need look at them again, and fewer will do."""
    keep_routes()
    keep_no_fields()
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 50, 50)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Before any fixture: what another test keeps is none of this one's."""
    if _SERVED in item.config.stash and is_after_the_groups(item.nodeid):
        step_back()
    WORLDS.prepare(getattr(item, "fixturenames", ()), commits=commits(item))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Around the fixtures too: tests of other workers are at the same stack."""
    from tests.stack import turn

    if not _ON_THE_STACK & set(getattr(item, "fixturenames", ())):
        return (yield)
    with turn(run_folder(), alone=item.get_closest_marker("alone") is not None):
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """Every message that a test builds is judged by the rules for senders, whatever the test is about."""
    with judging_messages():
        return (yield)


@pytest.fixture(scope="session")
def database_server(pytestconfig: pytest.Config) -> Iterator["EmbeddedPostgres | None"]:
    """The embedded cluster; None when DATABASE_URL names a server."""
    from django.conf import settings

    pytestconfig.stash[_SERVED] = True
    if not settings.EMBEDDED_DATABASE:
        yield None
        return
    from bars_portal.demo.processes import start_embedded
    from tests.databases import hurry

    server = start_embedded(ROOT / "var" / "test-postgres")
    hurry(server)
    yield server
    server.stop()


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    database_server: "EmbeddedPostgres | None", django_db_modify_db_settings_parallel_suffix: None
) -> None:
    """Before pytest-django makes the test database (one a worker): point it at the embedded cluster."""
    from django.db import connections

    if database_server is not None:
        given = connections["default"].settings_dict
        given |= {"HOST": database_server.socket_folder, "USER": "postgres"}
        given["TEST"]["TEMPLATE"] = migrated_template(database_server)


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: pytest.FixtureRequest) -> None:
    """Tests with `transaction=True` clean up; what a migration put into the tables is put back."""
    from django.apps import apps
    from django.db.models.signals import post_migrate

    from tests.databases import empty_quickly

    # Sent after each clean-up too.
    post_migrate.connect(_seed_code_lists, sender=apps.get_app_config("referrals"))
    with django_db_blocker.unblock():  # type: ignore[attr-defined]  # no public type
        empty_quickly()


@pytest.fixture(scope="module")
def worlds(django_db_setup: None, django_db_blocker: "DjangoDbBlocker") -> Iterator[Worlds]:
    """Keeps rows for the tests of a module: see tests/worlds.py."""
    WORLDS.blocker = django_db_blocker
    yield WORLDS
    WORLDS.forget()


def _seed_code_lists(**_: object) -> None:
    from django.apps import apps

    import_module("referrals.migrations.0001_initial").seed(apps, None)


@pytest.fixture(scope="session")
def stack(
    database_server: "EmbeddedPostgres | None", tmp_path_factory: pytest.TempPathFactory
) -> Iterator["Stack"]:
    """Portal, receiver, simulator and worker, really running, with a database of their own."""
    from tests.databases import drop_database, make_database
    from tests.stack import shared_stack

    # Its name tells whose tests it serves.
    name = f"live_{run_folder().name}"
    with shared_stack(
        run_folder(),
        make_var=lambda: tmp_path_factory.mktemp("var"),
        make_database=lambda: make_database(database_server, name),
        drop=lambda: drop_database(database_server, name),
    ) as running:
        yield running


@pytest.fixture(scope="session")
def drilled(stack: "Stack") -> Path:
    """The report of the sender drill, and in the database what it sent: one run for all processes."""
    from tests.stack import locked

    folder = run_folder() / "drill"
    with locked(run_folder() / "drilling"):
        if not (folder / "report.json").exists():
            try:
                stack.manage("bars_sender_drill", "--report", str(folder))
            except RuntimeError as failed:
                assert (folder / "report.json").exists(), failed
    return folder


@pytest.fixture(scope="session")
def shared_dir() -> Path:
    """The published profiles and examples; tests that read them are skipped when they are absent."""
    folder = Path(os.environ.get("BARS_SHARED_DIR", ROOT.parent / "shared"))
    if not (folder / "fhir" / "examples").is_dir():
        pytest.skip("the shared examples are not here")
    return folder
