"""The simulator's pages, for whoever sits at this computer."""

from bars_portal.simulator.catalogue import Catalogue
from bars_portal.simulator.config import Clock, Config
from bars_portal.simulator.journal import Journal
from bars_portal.simulator.web.asking import is_loopback
from bars_portal.simulator.web.requests import RequestPages
from bars_portal.simulator.web.selftests import PATH, SelftestPages
from bars_portal.simulator.wire import Answer, Request, json_answer


class Pages:
    """Everything that is a page and no part of BaRS."""

    def __init__(self, config: Config, journal: Journal, *, catalogue: Catalogue, clock: Clock) -> None:
        self._groups = (
            RequestPages(config, journal, clock=clock),
            SelftestPages(config, catalogue=catalogue, clock=clock),
        )

    def has(self, path: str) -> bool:
        """Whether the path is one of ours."""
        return any(group.find(path) for group in self._groups)

    def answer(self, request: Request) -> Answer:
        """The page, a download or where to look next; 404 for strangers, 405 for another verb."""
        found = next((each for group in self._groups if (each := group.find(request.raw_path))), None)
        if found is None or not is_loopback(request.peer):
            return json_answer(404, {"error": "not found"})
        if request.method not in ({"GET", "HEAD", "POST"} if request.raw_path == PATH else {"GET", "HEAD"}):
            return json_answer(405, {"error": "method not allowed"})
        return found(request)
