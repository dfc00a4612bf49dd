"""The pages about what came by: the list, one exchange, the zip."""

import gzip
import json
import re
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from lxml import etree

from bars_portal.simulator.config import FHIR_BASE, TOKEN_PATH, Clock, Config
from bars_portal.simulator.journal import Entry, Journal
from bars_portal.simulator.selftest.model import Json
from bars_portal.simulator.verdicts.judging import decoded, judge
from bars_portal.simulator.verdicts.model import Verdict
from bars_portal.simulator.web.pages import download, page, query_of, render, zipped
from bars_portal.simulator.wire import Answer, Request

# Entries of the journal as a page shows them: decoded, with their verdict.


LONGEST_SHOWN = 200_000
_KEPT_VERDICTS = 2000
_ENCODED = ("nhsd-",)


@dataclass(frozen=True)
class Shown:
    """An entry and what was found in it."""

    entry: Entry
    verdict: Verdict


class Gallery:
    """Judges each entry once, when it is first looked at."""

    def __init__(self) -> None:
        self._verdicts: dict[int, Verdict] = {}

    def show(self, entry: Entry) -> Shown:
        """The entry with its verdict."""
        verdict = self._verdicts.get(entry.number)
        if verdict is None:
            if len(self._verdicts) >= _KEPT_VERDICTS:
                self._verdicts.clear()
            verdict = self._verdicts[entry.number] = judge(entry)
        return Shown(entry, verdict)


def is_exchange(entry: Entry) -> bool:
    """Whether it is one of BaRS: drills and other addresses of ours are not."""
    return entry.request.raw_path == TOKEN_PATH or entry.request.raw_path.startswith(f"{FHIR_BASE}/")


def organisations(entries: Sequence[Entry]) -> list[str]:
    """The ODS codes that asked, in order."""
    return sorted({each.organisation for each in entries if each.organisation != "-"})


def readable_headers(headers: Mapping[str, str]) -> list[tuple[str, str]]:
    """Each header, those in base64 decoded."""
    return [(name, _header(name, value)) for name, value in sorted(headers.items())]


def readable_body(body: bytes, content_type: str, coding: str = "") -> str:
    """JSON and XML with line breaks, everything else as text; inflated and shortened."""
    raw = _inflated(body, coding)
    text = _pretty(raw, content_type)
    left = len(text) - LONGEST_SHOWN
    return text if left <= 0 else f"{text[:LONGEST_SHOWN]}\n(and {left} more characters)"


def _header(name: str, value: str) -> str:
    content = decoded(value) if name.lower().startswith(_ENCODED) else None
    return value if content is None else _indented(content)


def _pretty(raw: bytes, content_type: str) -> str:
    try:
        if "xml" in content_type:
            parser = etree.XMLParser(resolve_entities=False, no_network=True, remove_blank_text=True)
            return etree.tostring(etree.fromstring(raw, parser), pretty_print=True, encoding="unicode")
        return _indented(orjson.loads(raw))
    except (orjson.JSONDecodeError, etree.XMLSyntaxError):
        return raw.decode("utf-8", "replace")


def _indented(content: Any) -> str:
    return orjson.dumps(content, option=orjson.OPT_INDENT_2).decode()


def _inflated(body: bytes, coding: str) -> bytes:
    if coding.lower() != "gzip":
        return body
    try:
        return gzip.decompress(body)
    except (OSError, EOFError, zlib.error):
        return body


# The journal as a zip: index.html, requests.json and the raw messages.


NOTE = "The simulator is for tests: every patient in these messages is a test patient."


def journal_zip(shown: Sequence[Shown], *, organisation: str, now: datetime) -> bytes:
    """The whole file; `organisation` is the ODS code that was chosen, "" for all."""
    files = {
        "index.html": render(
            "journal.html", shown=shown, organisation=organisation, now=now, note=NOTE, file_name=file_name
        ),
        "requests.json": json.dumps([_as_data(each) for each in shown], indent=1).encode(),
    }
    for each in shown:
        files |= _raw(each)
    return zipped(files)


def _raw(shown: Shown) -> dict[str, bytes]:
    entry = shown.entry
    held = {file_name(entry, "request"): entry.request.body}
    if entry.answer is not None:
        held[file_name(entry, "answer")] = entry.answer.body
    return {name: body for name, body in held.items() if body}


def file_name(entry: Entry, side: str) -> str:
    """Where the zip has the request or the answer, as it was on the wire."""
    told = entry.request if side == "request" else entry.answer
    media, coding = (told.header(name) for name in ("Content-Type", "Content-Encoding")) if told else ("", "")
    ending = next((each for each in ("json", "xml", "html") if each in media), "txt")
    return f"messages/{entry.number:04}-{side}.{ending}{'.gz' if coding == 'gzip' else ''}"


def _as_data(shown: Shown) -> Json:
    entry, verdict = shown.entry, shown.verdict
    answer = entry.answer
    return {
        "number": entry.number,
        "at": entry.at.isoformat(),
        "organisation": entry.organisation,
        "service": entry.service,
        "direction": entry.direction,
        "method": entry.method,
        "path": entry.path,
        "status": entry.status,
        "scenario": entry.scenario,
        "summary": entry.summary,
        "verdict": str(verdict.outcome),
        "checks": [
            {"section": each.rule, "words": each.words, "outcome": str(each.outcome)}
            for each in verdict.checks
        ],
        "request_headers": dict(readable_headers(entry.request.headers)),
        "request": readable_body(
            entry.request.body, entry.request.header("Content-Type"), entry.request.header("Content-Encoding")
        ),
        "answer_headers": dict(answer.headers) if answer else {},
        "answer": readable_body(answer.body, answer.header("Content-Type"), answer.header("Content-Encoding"))
        if answer
        else "",
    }


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
