"""Which tests one process runs, one after the other, and which of them come first."""

from functools import cache

from xdist.scheduler import LoadScopeScheduling

# What is timed is never beside its like, nor is the stack while it is started; one browser is enough. The
# launcher's tests, which start the stack and stop it, are with those that need it first.
_GROUPS = {
    "tests/live/test_launcher.py": "browser",
    "tests/live/": "live",
    "tests/integration/receiver_server/": "live",
    "tests/integration/exchange/test_deadline.py": "live",
    "tests/browser/": "browser",
}
# The longest group begins, beside it what needs no stack, until that stands.
_ORDER = (
    "tests/live/test_launcher.py",
    "tests/browser/",
    "tests/architecture/",
    "tests/integration/request_pages/",
    "tests/live/",
    "tests/integration/",
)


class GroupScheduling(LoadScopeScheduling):  # type: ignore[misc]  # it has no types
    """Each group to one worker, in the order of the collection; other files by themselves."""

    def _split_scope(self, nodeid: str) -> str:
        return _group_of(nodeid.partition("::")[0])


def place_of(nodeid: str) -> int:
    """First what takes longest."""
    file = nodeid.partition("::")[0]
    return next((place for place, start in enumerate(_ORDER) if file.startswith(start)), len(_ORDER))


@cache
def _group_of(file: str) -> str:
    return next((group for place, group in _GROUPS.items() if file.startswith(place)), file)
