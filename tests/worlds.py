"""Rows that test after test begins with, made once a module: kept worlds.

When to use one: several tests of a module begin with the same rows, and each changes its own copies of them.
The conftest of a folder keeps what its tests begin with, layer by layer, and hands each test a copy:

    @pytest.fixture(scope="module")
    def kept_office(worlds: Worlds) -> Kept[Office]:
        return worlds.keep("kept_office", make_office)

    @pytest.fixture
    def office(kept_office: Kept[Office], db: None) -> Office:
        return kept_office.copy()

The rows stand in a transaction that is open for as long as the tests in turn want them; each test's own is a
savepoint in it, so nothing of a test is left. A test that wants other rows, or none, or really commits
(`transaction=True`) finds the database empty: what was kept is rolled back before it, and for one that
commits `copy()` makes the rows anew. So it does not matter in which order tests run.

Not for what a test must see being made (its statements, its trail), nor for what has a clock of minutes: what
is kept is as old as the module's first test, and the database's own now() is that of its beginning.
"""

from collections.abc import Callable, Sequence
from copy import deepcopy
from typing import Any, Generic, TypeVar

import pytest
from django.db import connection, transaction
from pytest_django import DjangoDbBlocker

T = TypeVar("T")


class Kept(Generic[T]):
    """What `make` made, with its rows; `name` is that of the fixture that keeps it."""

    def __init__(self, worlds: "Worlds", name: str, make: Callable[[], T]) -> None:
        self.worlds = worlds
        self.name = name
        self.make = make
        self._made: list[T] = []
        self._rows: transaction.Atomic | None = None

    def copy(self) -> T:
        """For one test to change; things that two layers share are one thing in the copies too."""
        if self._made:
            return deepcopy(self._made[0], self.worlds.copies)
        if self.name not in self.worlds.anew:
            self.worlds.anew[self.name] = self.make()
        made: T = self.worlds.anew[self.name]
        return made

    def original(self) -> T:
        """For the layer above to begin with."""
        return self._made[0] if self._made else self.copy()

    def open(self) -> None:
        self._rows = transaction.atomic()
        # As the tests' own: a durable block in it is none of a caller who would lose it.
        self._rows._from_testcase = True  # type: ignore[attr-defined]  # as django.test does
        with self.worlds.blocker.unblock():
            self._rows.__enter__()
            try:
                self._made.append(self.make())
            except BaseException:
                self.close()
                raise
            # What would follow the commit belongs to no test.
            connection.run_on_commit.clear()

    def close(self) -> None:
        self._made.clear()
        rows, self._rows = self._rows, None
        if rows is not None:
            with self.worlds.blocker.unblock():
                transaction.set_rollback(True)
                rows.__exit__(None, None, None)


class Worlds:
    """What is kept in this process now, the lowest layer first."""

    def __init__(self) -> None:
        self.blocker: DjangoDbBlocker
        # Of the test that runs: what it has copies of, or had made anew.
        self.copies: dict[int, Any] = {}
        self.anew: dict[str, Any] = {}
        self._commits = False
        self._known: dict[str, Kept[Any]] = {}
        self._open: list[Kept[Any]] = []

    def keep(self, name: str, make: Callable[[], T]) -> Kept[T]:
        """To be called by the fixture `name`, of a module: for the test that is the first to want it."""
        kept = self._known[name] = Kept(self, name, make)
        if not self._commits:
            self._begin(kept)
        return kept

    def prepare(self, wanted: Sequence[str], *, commits: bool) -> None:
        """Before the fixtures of a test: what it does not want goes, what it wants again comes back."""
        self.copies, self.anew, self._commits = {}, {}, commits
        names = set() if commits else set(wanted)
        while self._open and not {each.name for each in self._open} <= names:
            self._open.pop().close()
        for kept in self._known.values():
            if kept.name in names and kept not in self._open:
                self._begin(kept)

    def forget(self) -> None:
        """At the end of a module."""
        while self._open:
            self._open.pop().close()
        self._known.clear()

    def _begin(self, kept: Kept[Any]) -> None:
        kept.open()
        self._open.append(kept)


WORLDS = Worlds()


def commits(item: pytest.Item) -> bool:
    """Whether its rows are really committed, so that none may be there in a transaction."""
    marker = item.get_closest_marker("django_db")
    names = getattr(item, "fixturenames", ())
    return bool(marker and marker.kwargs.get("transaction")) or bool(
        {"transactional_db", "live_server", "django_db_reset_sequences"} & set(names)
    )
