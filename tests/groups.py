"""Which tests one process runs, one after the other, and which of them come first."""

import os
from collections import deque
from contextlib import suppress
from functools import cache
from importlib import import_module
from pathlib import Path

import pytest
from xdist.scheduler import LoadScopeScheduling

# Journeys that take no time of a service: nobody needs to see the same times beside them.
TAKE_NO_TIME = (
    "ambulance_story",
    "answering",
    "cis2",
    "long_form",
    "narrow_lists",
    "onboarding",
    "people_and_break_glass",
    "pharmacy_story",
    "second_factor",
    "simulator_pages",
    "worklist",
)
# What is timed is never beside its like, nor is the stack while it is started; nor are two who take the first
# free time that they see. The launcher's tests, which start the stack and stop it, are with those that need
# it first. Pages that are made for a look at them need none.
_GROUPS = {
    "tests/browser/test_gallery.py": "pages",
    "tests/browser/test_message_pages.py": "pages",
    **{f"tests/browser/test_{journey}.py": "live" for journey in TAKE_NO_TIME},
    "tests/live/test_launcher.py": "browser",
    "tests/live/": "live",
    "tests/integration/receiver_server/": "live",
    "tests/integration/exchange/test_deadline.py": "live",
    "tests/browser/": "browser",
}
# The longest group begins, beside it what needs no stack, until that stands.
_ORDER = (
    "browser",
    "pages",
    "tests/architecture/",
    "tests/integration/request_pages/",
    "live",
    "tests/integration/",
)
# Three to one, where the processor has not enough for all.
_STEP = 5


def import_in_turns(config: pytest.Config) -> None:
    """Before the workers of a whole run collect: each begins at another file, and comes to those that others
    have compiled by then. All in the same order, each would compile them all.
    """
    worker = getattr(config, "workerinput", None)
    if worker is None or config.args != config.getini("testpaths"):
        return
    left_out = tuple(config.getoption("ignore") or ())
    files = [file for file in sorted(Path("tests").rglob("test_*.py")) if not str(file).startswith(left_out)]
    turns = deque(files)
    number = int(worker["workerid"].removeprefix("gw"))
    turns.rotate(-number * len(files) // worker["workercount"])
    for file in turns:
        # What is wrong with it is told when it is collected.
        with suppress(Exception, pytest.skip.Exception):
            import_module(".".join(file.with_suffix("").parts))


class GroupScheduling(LoadScopeScheduling):  # type: ignore[misc]  # it has no types
    """Each group to one worker, in the order of the collection; other files by themselves."""

    def _split_scope(self, nodeid: str) -> str:
        return _group_of(nodeid.partition("::")[0])


def place_of(nodeid: str) -> tuple[int, bool]:
    """First what takes longest, and of that the launcher's."""
    file = nodeid.partition("::")[0]
    group = _group_of(file)
    place = next((place for place, start in enumerate(_ORDER) if group.startswith(start)), len(_ORDER))
    return place, file != "tests/live/test_launcher.py"


def is_after_the_groups(nodeid: str) -> bool:
    """Whoever comes here runs none of them any more: they are all in others' hands, or done."""
    return place_of(nodeid)[0] > _ORDER.index("live")


@cache
def step_back() -> None:
    """Leaves the processor to the groups, whose tests are timed or are waited for at the end."""
    if "PYTEST_XDIST_WORKER" in os.environ:
        os.nice(_STEP)


@cache
def _group_of(file: str) -> str:
    return next((group for place, group in _GROUPS.items() if file.startswith(place)), file)
