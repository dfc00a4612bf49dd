"""The self-test passes at our receiver, and a receiver that is broken fails just where it should."""

import json
import re
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4
from xml.etree import ElementTree as ET

import httpx
import pytest

from bars_portal.simulator.selftest import command
from bars_portal.simulator.selftest.connections import Connections, Target
from bars_portal.simulator.selftest.model import Scenario, Verdict
from bars_portal.simulator.selftest.running import Runner, Settings
from bars_portal.simulator.selftest.scenarios import read_scenarios, select
from tests.live.conftest import Query
from tests.live.lines import LINES
from tests.live.partner import HUB, direct_client, mutual_tls, wait_until
from tests.live.spoiling import BREAKAGES, Breakage, standing_in_front
from tests.profiles import daily, examples, share
from tests.stack import Stack

FailedWith = Callable[[Breakage, Sequence[Scenario]], set[str]]
LEAST, OTHERS = 150, 20
# What each breakage must be found by, and by nothing else.
FOUND_BY = {
    "echo off": """
        IDS-01.metadata IDS-01.definitions IDS-02 IDS-03 IDS-04 IDS-05 IDS-06.404-path IDS-06.404-id
        IDS-06.405 IDS-06.406 IDS-06.400 IDS-07 IDS-08 IDS-09""",
    "wrong code": "TXN-01 TXN-02 TXN-03 TXN-04 TXN-05 TXN-06 CANC-12 DNA-06",
    "XML off": """
        XML-01.metadata XML-01.definitions XML-02.xml XML-02.media-type XML-03 XML-04 XML-05 XML-06 XML-07
        XML-08 XML-09 XML-10 XML-11 XML-12 XML-13 XML-14.nothing XML-14.cut XML-14.no-namespace XML-14.unknown
        XML-15 XML-16 XML-17.json XML-17.xml XML-18 XML-19.name XML-19.period XML-20 XML-21""",
    "lost state": """
        IDS-05 TXN-01 TXN-02 TXN-03 TXN-04 TXN-05 TXN-06 CANC-12 DNA-06
        XML-09 XML-10 CANC-03 REF-22 REF-23 REF-31 VAL-14 READ-01 READ-02 READ-10""",
}


def test_our_receiver_passes_every_scenario(stack: Stack, tmp_path: Path) -> None:
    """Exit code 0, or this raises."""
    stack.manage("bars_selftest", "--report", str(tmp_path))

    told = json.loads((tmp_path / "report.json").read_text())
    count = len(told["scenarios"])
    assert count >= LEAST
    assert told["counts"] == {"passed": count, "failed": 0, "skipped": 0}
    suites = ET.parse(tmp_path / "junit.xml").getroot()
    assert len(suites.findall("testsuite/testcase")) == count
    assert "test data only" in (tmp_path / "index.html").read_text()
    assert all(each["exchanges"] and each["rule"] for each in told["scenarios"])


def in_this_process(stack: Stack, *arguments: str, service: str = HUB) -> int:
    """The same without two programs to start; the exit code."""
    pki = stack.pki
    files = {"cert": pki.certificate("proxy-client"), "key": pki.key("proxy-client"), "ca": pki.ca_chain}
    given = {"target": stack.receiver, "service": service, **files}
    options = [part for name, value in given.items() for part in (f"--{name}", str(value))]
    return command.main([*options, *arguments])


def test_a_service_that_takes_less_is_asked_less(stack: Stack, capsys: pytest.CaptureFixture[str]) -> None:
    code = in_this_process(stack, "--scenario", "VAL-01", "--scenario", "REF-13", service="2000099004")

    printed = capsys.readouterr().out
    assert code == command.PASSED, printed
    assert "3 passed, 0 failed, 1 skipped" in printed


def test_the_answer_to_a_request_that_we_sent_is_heard(stack: Stack, query: Query) -> None:
    request, conversation = str(uuid4()), str(uuid4())
    stack.call("tests.live.answering.register", request, conversation, "2000099003")

    asked = ("--scenario", "VANS-20", "--sent-request", request, "--sender", "2000099003")
    assert in_this_process(stack, *asked) == command.PASSED
    status = "SELECT status FROM referrals_validationcase WHERE correlation_id = %s"
    assert query(status, conversation) == [("completed",)]


def test_a_slot_that_is_not_offered_is_not_booked(stack: Stack, capsys: pytest.CaptureFixture[str]) -> None:
    slot, start = str(uuid4()), datetime.now(UTC).replace(microsecond=0) + timedelta(days=3)
    stack.call("tests.live.diaries.close_one", slot, start.isoformat(), HUB)

    named = "|".join([slot, start.isoformat(), (start + timedelta(minutes=15)).isoformat()])
    chosen = [part for each in ("BOOK-22", "SLOT-14") for part in ("--scenario", each)]
    assert in_this_process(stack, *chosen, "--closed-slot", named) == command.PASSED
    assert "2 passed, 0 failed, 0 skipped" in capsys.readouterr().out


def test_the_simulators_page_knows_our_receiver(stack: Stack) -> None:
    """What the form suggests is enough: the hub of the demo, with the proxy's certificate."""
    with httpx.Client(base_url=stack.simulator, trust_env=False, timeout=30) as http:
        suggested = dict(re.findall(r'name="(\w+)" value="([^"]*)"', http.get("/selftest").text))
        fields = suggested | {"group": "CANC", "scenarios": "TLS-01 TLS-02"}
        started = http.post("/selftest", data=fields, headers={"Origin": stack.simulator})
        place = started.headers["location"]
        wait_until(lambda: "Download the validation report" in http.get(place).text)

        assert "27 passed, 0 failed, 0 skipped" in http.get(place).text


def test_what_cannot_be_run_is_no_verdict(stack: Stack) -> None:
    with pytest.raises(RuntimeError, match=r"SystemExit: 2\s*$"):
        stack.manage("bars_selftest", "--target", "https://localhost:1/FHIR/R4")


@pytest.fixture(scope="module")
def failed_with(stack: Stack) -> Iterator[FailedWith]:
    """Runs scenarios against the broken receiver; the ids of those that fail."""
    context = mutual_tls(stack)
    with standing_in_front(lambda: direct_client(stack, context)) as (gateway, url):

        def run(breakage: Breakage, scenarios: Sequence[Scenario]) -> set[str]:
            gateway.breakage = breakage
            now = datetime.now(UTC).replace(microsecond=0)
            settings = Settings(HUB, "2000088001", now, jobs=4, tidy=False)
            connections = Connections(Target(url))
            try:
                runner = Runner(connections, settings)
                results = list(runner.run(scenarios, runner.offer()))
            finally:
                connections.close()
            assert len(results) == len(scenarios)
            return {each.scenario.id for each in results if each.verdict is Verdict.FAILED}

        yield run


@pytest.mark.parametrize("name", BREAKAGES)
def test_a_broken_receiver_fails_where_it_should(name: str, failed_with: FailedWith) -> None:
    """And not in twenty others, from first to last."""
    fails_there(BREAKAGES[name], FOUND_BY[name], failed_with, OTHERS)


def fails_there(breakage: Breakage, found_by: str, failed_with: FailedWith, count: int) -> None:
    expected, scenarios = set(found_by.split()), select(read_scenarios(), [])
    others = [each for each in scenarios if each.id not in expected]
    chosen = {each.id for each in others[:: len(others) // count][:count]} | expected
    assert len(chosen) == count + len(expected)
    assert failed_with(breakage, [each for each in scenarios if each.id in chosen]) == expected


@pytest.mark.parametrize(
    "name", daily(LINES, lambda name: name in share(list(LINES), 0), others=pytest.mark.further)
)
def test_a_line_read_the_other_way_is_found(name: str, failed_with: FailedWith) -> None:
    """Standard sections 12 and 13."""
    fails_there(*LINES[name], failed_with, examples(3, thorough=40))


@pytest.mark.thorough
@pytest.mark.parametrize("name", BREAKAGES)
def test_a_broken_receiver_fails_nowhere_else(name: str, failed_with: FailedWith) -> None:
    assert failed_with(BREAKAGES[name], select(read_scenarios(), [])) == set(FOUND_BY[name].split())
