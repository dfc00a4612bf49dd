"""The pages about what came by: the list, one exchange, the zip."""

import re
from collections.abc import Callable, Sequence

from bars_portal.simulator.config import TOKEN_PATH, Clock, Config
from bars_portal.simulator.journal import Entry, Journal
from bars_portal.simulator.web.asking import download, page, query_of
from bars_portal.simulator.web.bundling import journal_zip
from bars_portal.simulator.web.rendering import render
from bars_portal.simulator.web.showing import (
    Gallery,
    is_exchange,
    organisations,
    readable_body,
    readable_headers,
)
from bars_portal.simulator.wire import Answer, Request

ON_A_PAGE = 50
ZIP = "/requests.zip"
_ONE = re.compile(r"/requests/(\d{1,9})")


class RequestPages:
    """What the journal holds, for people."""

    def __init__(self, config: Config, journal: Journal, *, clock: Clock) -> None:
        self._config = config
        self._journal = journal
        self._clock = clock
        self._gallery = Gallery()

    def find(self, path: str) -> Callable[[Request], Answer] | None:
        """What answers at the path; None when it is not ours."""
        if path == "/":
            return self._list
        if path == ZIP:
            return self._zip
        return self._one if _ONE.fullmatch(path) else None

    def _list(self, request: Request) -> Answer:
        chosen, listed = self._chosen(request)
        number = query_of(request, "page")
        at = max(1, int(number)) if number.isdigit() else 1
        shown = listed[(at - 1) * ON_A_PAGE : at * ON_A_PAGE]
        return page(
            render(
                "requests.html",
                config=self._config,
                token_path=TOKEN_PATH,
                shown=[self._gallery.show(each) for each in shown],
                organisations=organisations(self._entries()),
                organisation=chosen,
                page=at,
                more=len(listed) > at * ON_A_PAGE,
                total=len(listed),
            )
        )

    def _one(self, request: Request) -> Answer:
        match = _ONE.fullmatch(request.raw_path)
        wanted = int(match[1]) if match else 0
        entry = next((each for each in self._entries() if each.number == wanted), None)
        if entry is None:
            return page(render("missing.html"), 404)
        answer = entry.answer
        return page(
            render(
                "request.html",
                shown=self._gallery.show(entry),
                request_headers=readable_headers(entry.request.headers),
                request_body=readable_body(
                    entry.request.body,
                    entry.request.header("Content-Type"),
                    entry.request.header("Content-Encoding"),
                ),
                answer_headers=sorted(answer.headers) if answer else [],
                answer_body=readable_body(
                    answer.body, answer.header("Content-Type"), answer.header("Content-Encoding")
                )
                if answer
                else "",
            )
        )

    def _zip(self, request: Request) -> Answer:
        chosen, listed = self._chosen(request)
        shown = [self._gallery.show(each) for each in listed]
        name = f"bars-requests-{chosen or 'all'}.zip"
        return download(name, journal_zip(shown, organisation=chosen, now=self._clock()))

    def _entries(self) -> list[Entry]:
        return [each for each in self._journal.entries() if is_exchange(each)]

    def _chosen(self, request: Request) -> tuple[str, Sequence[Entry]]:
        """The ODS code asked for, if it is one that came by, and its entries."""
        entries = self._entries()
        wanted = query_of(request, "organisation")
        known = wanted if wanted in organisations(entries) else ""
        return known, [each for each in entries if not known or each.organisation == known]
