"""A story with its whole content: typed on the pages, then judged row by row of the guide (story_rows.csv).

A row of that table is one line: where on the wire something stands, and where on the receiver's page.
"""

import csv
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import orjson
from playwright.sync_api import Locator, expect

from tests.browser.person import Person
from tests.browser.requesting import open_task, reference, until_it_is_known
from tests.browser.wire import Wire
from tests.fhir_check import assert_no_errors
from tests.live.partner import wait_until
from tests.unit.docs.markdown import ROOT
from tests.unit.docs.requirements import FILE, Element, ids_in, is_about, read_trace, rows_of_the_guide

Json = dict[str, Any]
Answers = Mapping[str, str]
SHARED = Path(os.environ.get("BARS_SHARED_DIR", ROOT.parent / "shared"))
ROWS = Path(__file__).with_name("story_rows.csv")
_LONDON = ZoneInfo("Europe/London")
_CHOSEN = re.compile(r"\[[^]]*]")
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d.*")
# What arrived is what was sent.
_SENT = """SELECT sent.body, got.body FROM exchange_outboundmessage sent
    JOIN exchange_inboundmessage got ON got.request_id = sent.request_id AND got.state = 'accepted'
    WHERE sent.correlation_id IN (
        SELECT correlation_id FROM referrals_referral WHERE reference = %s
        UNION SELECT correlation_id FROM referrals_validationcase WHERE reference = %s)
    AND sent.message_type = %s ORDER BY sent.created_at"""


class Times(dict[str, datetime]):
    """Moments by name, no two alike, in whole minutes as people type them."""

    @classmethod
    def of(cls, **minutes: int) -> "Times":
        """Each so many minutes after an hour ago."""
        began = datetime.now(UTC).replace(second=0, microsecond=0) - timedelta(hours=1)
        assert len(set(minutes.values())) == len(minutes)
        return cls({name: began + timedelta(minutes=each) for name, each in minutes.items()})

    def typed(self, text: str) -> str:
        """ "{triage}" as it is typed in one line, "{end:%d}" as it is typed in parts."""
        return self._put(text, "%d/%m/%Y %H:%M")

    def shown(self, text: str) -> str:
        return self._put(text, "%H:%M")

    def _put(self, text: str, usual: str) -> str:
        local = {name: at.astimezone(_LONDON) for name, at in self.items()}
        return re.sub(r"{(\w+)(?::([^}]*))?}", lambda found: f"{local[found[1]]:{found[2] or usual}}", text)

    def named(self, value: Any) -> Any:
        """What came over the wire, with "{triage}" where that moment stands."""
        if isinstance(value, dict):
            return {name: self.named(inner) for name, inner in value.items()}
        if isinstance(value, list):
            return [self.named(inner) for inner in value]
        if not isinstance(value, str) or not _INSTANT.fullmatch(value):
            return value
        moment = datetime.fromisoformat(value)
        return next((f"{{{name}}}" for name, at in self.items() if at == moment), value)


class Row(NamedTuple):
    application: str
    message: str
    rows: str
    wire: str
    page: str


def rows_of(application: str, message: str) -> list[Row]:
    """Of the table; those of several Applications name them all."""
    with ROWS.open(encoding="utf-8", newline="") as file:
        every = [Row(**each) for each in csv.DictReader(file)]
    return [row for row in every if application in row.application and message in row.message.split()]


def fill(person: Person, times: Times, answers: Answers) -> None:
    """Fields by their names, as forms post them; rows of a list that are not there yet are added."""
    page = person.page
    for name, value in answers.items():
        fields = page.locator(f"[name='{name}']:not([type=hidden])")
        if not fields.count():
            page.get_by_role("button", name=re.compile("^Add another")).click()
        _answer(fields, times.typed(value))


def _answer(fields: Locator, value: str) -> None:
    unfold = "field => { const box = field.closest('details'); if (box) box.open = true; return field.type }"
    kind = fields.first.evaluate(unfold)
    if kind in ("radio", "checkbox"):
        fields.and_(fields.page.locator(f"[value='{value}']")).check()
    elif kind == "select-one":
        fields.select_option(value)
    else:
        fields.fill(value)


def write(person: Person, times: Times, steps: Mapping[str, Answers]) -> None:
    """Steps by their titles, each said to be done."""
    for title, answers in steps.items():
        open_task(person, title)
        fill(person, times, answers)
        person.press("Continue")
        expect(person.page.locator(".nhsuk-task-list").first).to_be_visible()


def send(person: Person, times: Times, *stated: str, button: str = "Send") -> None:
    """After what is stated was read once more."""
    person.follow("Check and send")
    person.look("Check your answers before sending", patient=True)
    for text in stated:
        expect(person.page.locator("main")).to_contain_text(times.shown(text))
    person.press(button)
    until_it_is_known(person)


def sent(person: Person) -> str:
    """Their reference, from the page that says so; then to the case."""
    theirs = reference(person)
    person.follow("Go to the case")
    person.look(patient=True)
    return theirs


@dataclass(frozen=True)
class Case:
    """A case of a story, by the receiver's reference of it."""

    application: str
    reference: str
    wire: Wire
    times: Times

    def judge(self, message: str, reader: Person) -> Json:
        """The newest message of this kind, and the page that its receiver has open. Gives the message."""
        rows = rows_of(self.application, message)
        bundle = self.told(message)[-1]
        named = self.times.named(bundle)
        judge_wire(named, rows)
        judge_times(named, rows)
        if (SHARED / "requirements").is_dir():
            judge_elements(bundle, self.application, message, rows)
            judge_profiles(bundle)
        judge_page(reader, self.times, rows)
        return bundle

    def told(self, message: str) -> list[Json]:
        """All of this kind in the conversation of the case, either way, in order, once there is one."""
        wait_until(lambda: self._told(message))
        return self._told(message)

    def _told(self, message: str) -> list[Json]:
        found = self.wire.rows(_SENT, self.reference, self.reference, message)
        assert all(bytes(out) == bytes(got) for out, got in found)
        return [orjson.loads(bytes(out)) for out, _ in found]


def judge_wire(bundle: Json, rows: Iterable[Row]) -> None:
    """Each row at its place."""
    faults = [f"{row.rows}: {row.wire}" for row in rows if row.wire and not _stands(bundle, row.wire)]
    assert not faults, "\n".join(faults)


def judge_times(bundle: Json, rows: Iterable[Row]) -> None:
    """Each time of the story at the places that the table names, and at no other."""
    meant = {_place(row.wire) for row in rows if "{" in row.wire}
    found = {f"{place} = {text}" for place, text in _texts(bundle) if text.startswith("{")}
    assert found == meant, f"only told {sorted(found - meant)}, only meant {sorted(meant - found)}"


def judge_elements(bundle: Json, application: str, message: str, own: Iterable[Row]) -> None:
    """What docs/requirements.toml asks of every message of the kind; the table's own word comes first."""
    said = {each for row in own for each in ids_in(row.rows)}
    guide, elements = rows_of_the_guide(SHARED), read_trace(FILE.read_text(encoding="utf-8")).elements
    lacking = [
        row
        for row, element in elements.items()
        if row in guide and row not in said and is_about(guide[row], application, message)
        if element.stands_in(bundle) is False
    ]
    assert not lacking, ", ".join(lacking)


def judge_profiles(bundle: Json) -> None:
    """By the published checker."""
    with TemporaryDirectory() as folder:
        (Path(folder) / "message.json").write_bytes(orjson.dumps(bundle))
        assert_no_errors(SHARED, Path(folder))


def _place(wire: str) -> str:
    """Without what is chosen by a code."""
    path, _, value = wire.removeprefix("some ").partition("=")
    return f"{_CHOSEN.sub('', path.strip())} = {value.strip()}"


def _stands(bundle: Json, wire: str) -> bool:
    """ "!" before a path: nothing is there."""
    if wire.startswith("!"):
        return not Element.parse(f"some {wire[1:]}").stands_in(bundle)
    return bool(Element.parse(wire).stands_in(bundle))


def _texts(bundle: Json) -> Iterator[tuple[str, str]]:
    """Every text of the resources with its path, without places in lists."""
    for entry in bundle["entry"]:
        yield from _below(entry["resource"]["resourceType"], entry["resource"])


def _below(path: str, value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _below(f"{path}.{name}", inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _below(path, inner)
    elif isinstance(value, str):
        yield path, value


_PAIRS = """() => [...document.querySelectorAll('main .nhsuk-summary-list__row')].map(
    row => [row.querySelector('dt').textContent, row.querySelector('dd').textContent])"""


def judge_page(person: Person, times: Times, rows: Iterable[Row]) -> None:
    """ "Label: words" stand in one line of a list, words without a label anywhere on the page."""
    pairs = [(_plain(label), _plain(words)) for label, words in person.page.evaluate(_PAIRS)]
    page = _plain(person.page.locator("main").evaluate("main => main.textContent"))
    faults = [
        f"{row.rows}: {row.page}"
        for row in rows
        if row.page and not _is_shown(_plain(times.shown(row.page)), pairs, page)
    ]
    assert not faults, "\n".join(faults)


def _is_shown(told: str, pairs: list[tuple[str, str]], page: str) -> bool:
    label, colon, words = told.partition(": ")
    if not colon:
        return told in page
    return any(label == known and words in said for known, said in pairs)


def _plain(text: str) -> str:
    return " ".join(text.split())
