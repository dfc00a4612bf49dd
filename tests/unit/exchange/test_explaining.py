"""Explanations: the words name the fault that was made, show nothing of a patient, and nothing breaks it."""

import re
from codecs import BOM_UTF8
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bars_portal.exchange.explaining.explain import Breach, Explanation, Letter, Result, explain, stand_in
from bars_portal.exchange.explaining.guidance import in_order
from bars_portal.exchange.explaining.presenters import as_text, page_of
from bars_portal.exchange.explaining.stored import meaning_of
from bars_portal.exchange.fhir import json, replies
from bars_portal.exchange.fhir.formats import Format
from bars_portal.exchange.fhir.rules import all_rules
from bars_portal.exchange.message_bytes import deflate
from bars_portal.exchange.transport import judgement
from tests.unit.exchange.broken import BROKEN, HEADERS, Broken
from tests.unit.exchange_fhir.changes import because, category, event, on_focus
from tests.unit.exchange_fhir.factory import Change, coded
from tests.unit.exchange_fhir.samples import HUB, SAMPLES

HOSTED = {HUB.service_id: HUB}
PLANTED = ("Zebedee", "Quintilla", "9990548609", "1981-07-14", "07700900123", "SECRET")


def explained(letter: Letter) -> Explanation:
    return explain(letter, find=HOSTED.get)


def told(explanation: Explanation) -> str:
    return "\n".join(as_text(explanation))


def marked(breach: Breach) -> list[str]:
    return [line.text for place in breach.places for line in place.lines if line.is_marked]


def test_every_rule_has_words_of_its_own() -> None:
    words = in_order()
    assert {each.id for each in all_rules()} < {each.rule for each in words}
    for each in words:
        assert all((each.section, each.sentence, each.element, each.mend)), each.rule
    assert len({each.rule for each in words}) == len({each.mend for each in words}) == len(words)


@pytest.mark.parametrize("broken", BROKEN, ids=lambda each: each.fault)
def test_the_words_name_the_fault_that_was_made(broken: Broken) -> None:
    explanation = explained(broken.letter())
    (finding,) = [each for each in explanation.findings if each.words.rule == broken.rule]
    assert finding.result in (Result.REFUSED, Result.WARNING)
    (breach, *_) = [each for each in finding.breaches if broken.says in each.says]
    assert broken.shows in "\n".join(marked(breach)), told(explanation)
    assert breach.party == broken.party
    shown = told(explanation)
    for value in PLANTED:
        assert value not in shown
    if finding.result is Result.REFUSED:
        assert explanation.decisive == broken.rule, "one fault was made"


@pytest.mark.parametrize("stranger", ["shoeSize", "serviceCategory"], ids=["of none", "of another type"])
def test_what_does_not_belong_is_marked_and_nothing_beside_it(stranger: str) -> None:
    """However long the resource is: all of it would be cut before its end."""
    raw = SAMPLES["booking-new"]()
    patient = next(each["resource"] for each in raw["entry"] if each["resource"]["resourceType"] == "Patient")
    patient["communication"] = [{"language": {"text": "Zebedee"}}] * 30
    patient[stranger] = "Zebedee"
    explanation = explained(Letter(json.dumps(raw), HEADERS))
    ((breach,),) = [each.breaches for each in explanation.findings if each.words.rule == "structure"]
    (line,) = marked(breach)
    assert line.strip() == f'"{"•••" if stranger == "shoeSize" else stranger}": "•••"'


@pytest.mark.parametrize("packed", [False, True], ids=["byte order mark", "gzip"])
def test_where_json_ends_to_be_json_is_told_and_not_shown(packed: bool) -> None:
    body = b'{\n "resourceType": "Bundle",\n "id": "Zebedee",\n}'
    headers = {**HEADERS, "Content-Encoding": "gzip"} if packed else HEADERS
    explanation = explained(Letter(deflate(body) if packed else BOM_UTF8 + body, headers))
    ((breach,),) = [each.breaches for each in explanation.findings if each.words.rule == "well-formed"]
    assert [(place.path, place.lines) for place in breach.places] == [("line 3, column 17 of the body", ())]
    assert "line 3, column 17 of the body" in told(explanation)


@pytest.mark.parametrize(
    ("body", "place"),
    [
        ('<Bundle xmlns="http://hl7.org/fhir">\n <id value="Zebedee"/>\n', "line 3, column 1 of the body"),
        ('<Bundle>\n <id value="Zebedee">\n</Bundle>', "line 3, column 10 of the body"),
        ('<?xml version="1.0"?>\n <!DOCTYPE Zebedee>\n<Bundle/>', "line 2, column 2 of the body"),
        (
            '<Bundle xmlns="http://hl7.org/fhir"><meta><Zebedee value="x"/></meta></Bundle>',
            "Bundle.meta",
        ),
        ('<?xml version="1.0" encoding="latin-1"?><Bundle/>', None),
    ],
    ids=["half", "not closed", "with a DOCTYPE", "an unknown element", "of no place"],
)
@pytest.mark.parametrize("mark", ["", "\ufeff"], ids=["plain", "byte order mark"])
def test_where_xml_ends_to_be_fhir_is_told_and_not_shown(body: str, place: str | None, mark: str) -> None:
    headers = {**HEADERS, "Content-Type": Format.XML.value}
    explanation = explained(Letter((mark + body).encode(), headers))
    ((breach,),) = [each.breaches for each in explanation.findings if each.words.rule == "well-formed"]
    assert [(each.path, each.lines) for each in breach.places] == ([(place, ())] if place else [])
    assert "Zebedee" not in told(explanation)


@pytest.mark.parametrize(
    ("kind", "change", "odd"),
    [
        ("booking-new", on_focus("status", "pending"), ["pending"]),
        ("booking-new", because("delete"), ["delete", "booked"]),
        ("booking-new", event("servicerequest-request"), ["servicerequest-request"]),
        ("referral-new", on_focus("status", "revoked"), ["new", "revoked"]),
        ("referral-new", category(coded("usecases-categories-bars", "a1t1")), ["category"]),
        ("referral-new", event("booking-request"), ["booking-request"]),
    ],
    ids=["status", "reason or status", "event", "reason or status of a case", "category", "event of a case"],
)
def test_of_a_strange_combination_what_does_not_belong_is_marked(
    kind: str, change: Change, odd: list[str]
) -> None:
    """The event was, whatever it was."""
    raw = SAMPLES[kind]()
    change(raw)
    explanation = explained(Letter(json.dumps(raw), HEADERS))
    ((breach,),) = [each.breaches for each in explanation.findings if each.words.rule == "workflow"]
    assert len(breach.places) == len(odd)
    for words, place in zip(odd, breach.places, strict=True):
        assert words in "\n".join(line.text for line in place.lines if line.is_marked)


def test_there_are_thirty_faults_of_as_many_rules() -> None:
    assert len({each.rule for each in BROKEN}) >= 30


@pytest.mark.parametrize("kind", SAMPLES)
def test_a_sound_message_passes_each_rule(kind: str) -> None:
    explanation = explained(Letter(json.dumps(SAMPLES[kind]()), HEADERS))
    assert explanation.is_taken
    assert {each.result for each in explanation.findings[:-2]} == {Result.PASSED}
    assert [each.result for each in explanation.findings[-2:]] == [Result.NOT_JUDGED] * 2


def test_of_many_results_the_page_speaks_in_the_plural() -> None:
    explanation = explained(Letter(json.dumps(SAMPLES["booking-new"]()), HEADERS))
    warned = [replace(each, result=Result.WARNING) for each in explanation.findings]
    one, two = (page_of(replace(explanation, findings=tuple(warned[:count]))).counts for count in (1, 2))
    assert (one, two) == ("1 warning", "2 warnings")


def test_what_comes_after_a_refusal_is_not_reached() -> None:
    explanation = explained(Letter(b"{", HEADERS))
    results = {each.words.rule: each.result for each in explanation.findings}
    assert results["body-format"] is Result.PASSED
    assert results["well-formed"] is Result.REFUSED
    assert {results[each] for each in ("structure", "workflow", "applied")} == {Result.NOT_REACHED}


def test_of_a_service_of_somebody_else_nothing_is_told() -> None:
    explanation = explain(Letter(json.dumps(SAMPLES["booking-new"]()), HEADERS), find=stand_in)
    assert explanation.is_for_others
    results = {each.words.rule: each.result for each in explanation.findings}
    for rule in ("access", "destination-hosted", "receiver-provider"):
        assert results[rule] is Result.NOT_JUDGED
    assert explanation.is_taken


def test_every_published_message_is_explained_and_none_refused(shared_dir: Path) -> None:
    tried = 0
    for path in sorted((shared_dir / "fhir" / "examples").glob("*.json")):
        raw = json.loads(path.read_bytes())
        for format_ in Format:
            headers = {**HEADERS, "Content-Type": format_.value}
            explanation = explain(Letter(format_.dumps(raw), headers), find=stand_in)
            assert told(explanation)
            if raw.get("type") == "message":
                assert not explanation.with_result(Result.REFUSED), path.name
                tried += 1
    assert tried > 30


def test_every_reason_of_ours_has_a_meaning() -> None:
    reasons = {*judgement.RETRY_STATUS.values(), *judgement.RETRY_CODE.values()}
    reasons |= {*judgement.RETRY_WHOLE_CODE.values(), "accepted", "duplicate", "not-sent", "token-refused"}
    reasons |= {"cut", "garbled", "ids-not-echoed", "unreadable-reply", "no-outcome", "worker-lost"}
    source = Path(replies.__file__).read_text()
    found = set(re.findall(r'yield "([a-z-]+)"', source))
    assert len(found) > 8
    fallback = {meaning_of("http-400", 400, (), is_sound=each)[0] for each in (True, False)}
    assert len(fallback) == 2
    for reason in reasons | found:
        assert meaning_of(reason, 400, (), is_sound=True)[0] not in fallback, reason


# What is kept of a message because no patient's values belong there; the planted value stands elsewhere.
NAMES = st.sampled_from(
    [
        *("value", "family", "text", "line", "div", "name", "valueString", "birthDate", "id", "reference"),
        *("entry", "resource", "contained", "extension", "subject", "note", "contact", "telecom", "SECRET"),
    ]
)
TREE = st.recursive(
    st.just("Zebedee") | st.none() | st.integers(-9, 9) | st.booleans(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=12,
)
KINDS = st.sampled_from(["Bundle", "Patient", "MessageHeader", "Appointment", "Slot"])


@settings(max_examples=60)
@given(
    tree=TREE, kind=KINDS, at=st.sampled_from(["whole", "entry", "member"]), format_=st.sampled_from(Format)
)
def test_odd_trees_are_explained_and_show_nobody(tree: Any, kind: str, at: str, format_: Format) -> None:
    raw: Any = SAMPLES["booking-new"]()
    if at == "whole":
        raw = tree if isinstance(tree, dict) else {"resourceType": kind, "entry": tree}
    elif at == "entry":
        raw["entry"].append({"fullUrl": "Zebedee", "resource": tree})
    else:
        raw["entry"][1]["resource"]["note"] = tree
    body = orjson.dumps(raw) if format_ is Format.JSON else b"<Bundle><a>Zebedee</a>" + orjson.dumps(raw)
    shown = told(explained(Letter(body, {**HEADERS, "Content-Type": format_.value})))
    assert "Zebedee" not in shown
    assert "SECRET" not in shown, "it is no name of FHIR's"


@settings(max_examples=60)
@given(
    body=st.binary(max_size=60) | st.text(max_size=60).map(str.encode),
    headers=st.dictionaries(
        st.sampled_from([*HEADERS, "Content-Encoding", "Content-Length", "Transfer-Encoding", "Expect"]),
        st.text(max_size=12) | st.just("Zebedee"),
    ),
)
def test_odd_bytes_and_headers_are_explained(body: bytes, headers: dict[str, str]) -> None:
    for sent in (headers, {**HEADERS, **headers}, HEADERS):
        assert "Zebedee" not in told(explained(Letter(body, sent)))
