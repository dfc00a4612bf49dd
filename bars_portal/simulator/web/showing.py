"""Entries of the journal as a page shows them: decoded, with their verdict."""

import gzip
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from lxml import etree

from bars_portal.simulator.config import FHIR_BASE, TOKEN_PATH
from bars_portal.simulator.journal import Entry
from bars_portal.simulator.verdicts import Verdict, judge
from bars_portal.simulator.verdicts.headers import decoded

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
