"""Messages as pages, and the pages' words: what the tests of received messages share."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from django.template import engines
from lxml import html

from bars_portal.exchange.fhir import json
from bars_portal.exchange.fhir.bundle import MessageBundle
from bars_portal.exchange.fhir.codes import UseCase
from bars_portal.nhsuk.words import format_nhs_number, format_phone
from referrals.message_page.page import present_message
from referrals.message_page.reader import MessageView, leaves, reason_not_shown, scalar_text
from referrals.message_page.words import code_words, date_words, sentence, system_name
from referrals.parts.assessment import kind_and_words
from tests.factories.contents import make_content
from tests.unit.exchange_fhir.samples import SAMPLES
from tests.unit.referrals import built

NOW = datetime(2026, 7, 14, 8, 30, tzinfo=UTC)
UUID = r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}"


def own_messages() -> dict[str, dict[str, Any]]:
    """A message of every type, and a full request of every use case as we send it ourselves."""
    sent = {f"sent-{each}": json.loads(json.dumps(built.message(make_content(each)))) for each in UseCase}
    return {name: json.loads(json.dumps(make())) for name, make in SAMPLES.items()} | sent


def published_messages(shared: Path) -> dict[str, dict[str, Any]]:
    """The published examples that are Bundles, by the first word of their name."""
    files = sorted((shared / "fhir" / "examples").glob("*.json"))
    found = {each.name.partition(" ")[0].rstrip("-"): json.loads(each.read_bytes()) for each in files}
    return {name: raw for name, raw in found.items() if raw["resourceType"] == "Bundle"}


def view_of(raw: dict[str, Any]) -> MessageView:
    return present_message(MessageBundle(raw), NOW)


def markup_of(raw: dict[str, Any]) -> str:
    template = engines["jinja2"].get_template("referrals/message/_message.jinja")
    return str(template.render({"message": view_of(raw)}))


def page_of(raw: dict[str, Any]) -> html.HtmlElement:
    return html.fromstring(f"<main>{markup_of(raw)}</main>")


def text_of(raw: dict[str, Any], within: str = "app-message") -> str:
    """The words of the page, or of the part with this class."""
    return text_within(page_of(raw), within)


def text_within(page: html.HtmlElement, within: str = "app-message") -> str:
    return words_in(next(each for each in page.iter() if each.get("class") == within))


def words_in(part: html.HtmlElement) -> str:
    return plain(" ".join(str(each) for each in part.itertext()))


def without_codes(page: html.HtmlElement) -> html.HtmlElement:
    """The same page without "Codes and record details": what is read without opening anything technical."""
    for folded in page.find_class("app-message__codes"):
        folded.drop_tree()
    return page


def clinical_text_of(raw: dict[str, Any]) -> str:
    return words_in(without_codes(page_of(raw)))


GUID = re.compile(r"(?:urn:uuid:)?[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


def plain(text: str) -> str:
    """Spaces, case and written line ends do not matter."""
    return " ".join(re.sub(r"[/\\]n(?=\s|\\n|/n|$)", " ", text).casefold().split())


def holds(page: str, looked_for: str) -> bool:
    """Whether the page has these very words, not merely letters within others; both are plain."""
    # An expression for each of thousands of leaves costs more than all else; most forms are not there at all.
    return looked_for in page and bool(re.search(rf"(?<!\w){re.escape(looked_for)}(?!\w)", page))


@cache
def forms(text: str) -> tuple[str, ...]:
    """How a leaf may read on a page, in plain words. The same codes and systems are in every message."""
    return tuple(dict.fromkeys(plain(each) for each in _forms(text)))


def _forms(text: str) -> Iterator[str]:
    yield text
    # A GUID within a sentence stands with the codes; a test of its own says so.
    yield GUID.sub("[technical ID]", text)
    for words in (code_words, date_words, format_phone, format_nhs_number, system_name, sentence):
        yield words(text)
    # The kind of an outcome is the label of its row.
    yield kind_and_words(text)[1] or text
    # An address of a service is shown by the service's number.
    yield text.rpartition("|")[2]


def missing_from(page: str, raw: dict[str, Any]) -> list[tuple[Any, ...]]:
    """Leaves that neither the page shows nor the reviewed list of technical fields names."""
    return [
        (*path, value)
        for path, value in leaves(raw)
        if not reason_not_shown(path, value)
        and not any(holds(page, form) for form in forms(scalar_text(value)))
    ]
