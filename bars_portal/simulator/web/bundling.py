"""The journal as a zip: index.html, requests.json and the raw messages."""

import io
import json
import zipfile
from collections.abc import Sequence
from datetime import datetime

from bars_portal.simulator.journal import Entry
from bars_portal.simulator.selftest.model import Json
from bars_portal.simulator.web.rendering import render
from bars_portal.simulator.web.showing import Shown, readable_body, readable_headers

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


def zipped(files: dict[str, bytes]) -> bytes:
    """The files as one zip."""
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return held.getvalue()


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
