"""The pages: how one is asked for and rendered, and those about what came by: list, exchange, zip.

Whatever a message holds is text, never markup.
"""

import gzip
import io
import json
import re
import zipfile
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import orjson
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from lxml import etree
from markupsafe import Markup

from bars_portal.simulator.config import FHIR_BASE, TOKEN_PATH, Clock, Config
from bars_portal.simulator.fhir import Resource
from bars_portal.simulator.headers import decode_header
from bars_portal.simulator.journal import Entry, Journal
from bars_portal.simulator.verdicts.judging import judge
from bars_portal.simulator.verdicts.message import Verdict
from bars_portal.simulator.wire import Answer, Request

HTML = (
    ("Content-Type", "text/html; charset=utf-8"),
    (
        "Content-Security-Policy",
        "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'",
    ),
    # Not no-referrer: browsers would then hide from us that a form came from our own page.
    ("Referrer-Policy", "same-origin"),
    ("Cache-Control", "no-store"),
)
FOLDER = Path(__file__).parent


def page(body: bytes, status: int = 200) -> Answer:
    """A page that loads nothing from anywhere."""
    return Answer(status, HTML, body)


def download(name: str, body: bytes) -> Answer:
    """A zip to save."""
    headers = (
        ("Content-Type", "application/zip"),
        ("Content-Disposition", f'attachment; filename="{name}"'),
        ("Cache-Control", "no-store"),
    )
    return Answer(200, headers, body)


def form_of(request: Request) -> dict[str, list[str]]:
    """The fields of a form. Raises ValueError."""
    return parse_qs(request.body.decode(), keep_blank_values=True, max_num_fields=2000)


def query_of(request: Request, name: str) -> str:
    """One parameter, "" when it is not given."""
    return parse_qs(request.query).get(name, [""])[0]


def render(name: str, **values: Any) -> bytes:
    """The template with its values, UTF-8. Raises jinja2's errors for a template that is wrong."""
    return _environment().get_template(name).render(**values).encode()


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(FOLDER / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    # A path of the proxy as BaRS writes it, /Slot.
    environment.globals["short"] = lambda path: path.removeprefix(FHIR_BASE)
    # Our own file, so that a saved page looks the same anywhere.
    environment.globals["css"] = Markup((FOLDER / "style.css").read_text())  # noqa: S704 - no input in it
    return environment


def zipped(files: dict[str, bytes]) -> bytes:
    """The files as one zip."""
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return held.getvalue()


LONGEST_SHOWN = 200_000
_KEPT_VERDICTS = 2000
ON_A_PAGE = 50
ZIP = "/requests.zip"
_ONE = re.compile(r"/requests/(\d{1,9})")
NOTE = "The simulator is for tests: every patient in these messages is a test patient."
# What the zip tells of each exchange as it is.
_TEXTS = ("organisation", "service", "direction", "method", "path", "status", "scenario", "summary")


@dataclass(frozen=True)
class Shown:
    """An entry and what was found in it."""

    entry: Entry
    verdict: Verdict


class RequestPages:
    """What the journal holds, for people."""

    def __init__(self, config: Config, journal: Journal, *, clock: Clock) -> None:
        self._config = config
        self._journal = journal
        self._clock = clock
        self._verdicts: dict[int, Verdict] = {}

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
                shown=[self._show(each) for each in shown],
                organisations=_organisations(self._entries()),
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
        return page(
            render(
                "request.html",
                shown=self._show(entry),
                request_headers=_readable_headers(entry.request.headers),
                request_body=_readable_body(entry.request),
                answer_headers=sorted(entry.answer.headers) if entry.answer else [],
                answer_body=_readable_body(entry.answer),
            )
        )

    def _zip(self, request: Request) -> Answer:
        chosen, listed = self._chosen(request)
        shown = [self._show(each) for each in listed]
        name = f"bars-requests-{chosen or 'all'}.zip"
        return download(name, _journal_zip(shown, organisation=chosen, now=self._clock()))

    def _show(self, entry: Entry) -> Shown:
        """With its verdict: each entry is judged once, when it is first looked at."""
        # Another thread may clear them at any time.
        verdict = self._verdicts.get(entry.number)
        if verdict is None:
            if len(self._verdicts) >= _KEPT_VERDICTS:
                self._verdicts.clear()
            verdict = self._verdicts[entry.number] = judge(entry)
        return Shown(entry, verdict)

    def _entries(self) -> list[Entry]:
        return [each for each in self._journal.entries() if _is_exchange(each)]

    def _chosen(self, request: Request) -> tuple[str, Sequence[Entry]]:
        """The ODS code asked for, if it is one that came by, and its entries."""
        entries = self._entries()
        wanted = query_of(request, "organisation")
        known = wanted if wanted in _organisations(entries) else ""
        return known, [each for each in entries if not known or each.organisation == known]


def _is_exchange(entry: Entry) -> bool:
    """Whether it is one of BaRS: drills and other addresses of ours are not."""
    return entry.request.raw_path == TOKEN_PATH or entry.request.raw_path.startswith(f"{FHIR_BASE}/")


def _organisations(entries: Sequence[Entry]) -> list[str]:
    """The ODS codes that asked, in order."""
    return sorted({each.organisation for each in entries if each.organisation != "-"})


def _readable_headers(headers: Mapping[str, str]) -> list[tuple[str, str]]:
    """Each header, those in base64 decoded."""
    return [(name, _header(name, value)) for name, value in sorted(headers.items())]


def _readable_body(message: Request | Answer | None) -> str:
    """JSON and XML with line breaks, everything else as text; inflated and shortened."""
    if message is None:
        return ""
    text = _pretty(_inflated(message), message.header("Content-Type"))
    left = len(text) - LONGEST_SHOWN
    return text if left <= 0 else f"{text[:LONGEST_SHOWN]}\n(and {left} more characters)"


def _header(name: str, value: str) -> str:
    content = decode_header(value) if name.lower().startswith("nhsd-") else None
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


def _inflated(message: Request | Answer) -> bytes:
    if message.header("Content-Encoding").lower() != "gzip":
        return message.body
    try:
        return gzip.decompress(message.body)
    except (OSError, EOFError, zlib.error):
        return message.body


def _journal_zip(shown: Sequence[Shown], *, organisation: str, now: datetime) -> bytes:
    """The whole file; `organisation` is the ODS code that was chosen, "" for all."""
    files = {
        "index.html": render(
            "journal.html", shown=shown, organisation=organisation, now=now, note=NOTE, file_name=_file_name
        ),
        "requests.json": json.dumps([_as_data(each) for each in shown], indent=1).encode(),
    }
    for entry in (each.entry for each in shown):
        sides = {"request": entry.request.body, "answer": entry.answer.body if entry.answer else b""}
        files |= {_file_name(entry, side): body for side, body in sides.items() if body}
    return zipped(files)


def _file_name(entry: Entry, side: str) -> str:
    """Where the zip has the request or the answer, as it was on the wire."""
    message = entry.request if side == "request" else entry.answer
    media, coding = (
        (message.header(name) for name in ("Content-Type", "Content-Encoding")) if message else ("", "")
    )
    ending = next((each for each in ("json", "xml", "html") if each in media), "txt")
    return f"messages/{entry.number:04}-{side}.{ending}{'.gz' if coding == 'gzip' else ''}"


def _as_data(shown: Shown) -> Resource:
    entry, verdict = shown.entry, shown.verdict
    return {
        "number": entry.number,
        "at": entry.at.isoformat(),
        **{name: getattr(entry, name) for name in _TEXTS},
        "verdict": str(verdict.outcome),
        "checks": [
            {"section": each.rule, "words": each.words, "outcome": str(each.outcome)}
            for each in verdict.checks
        ],
        "request_headers": dict(_readable_headers(entry.request.headers)),
        "request": _readable_body(entry.request),
        "answer_headers": dict(entry.answer.headers) if entry.answer else {},
        "answer": _readable_body(entry.answer),
    }
