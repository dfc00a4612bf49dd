"""The command line against a puppet: exit codes, report files, what is skipped."""

import json
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from bars_portal.simulator.selftest.command import main
from tests.simulator.selftest.conftest import Puppet

SCENARIOS = """
[group]
id = "MINE"
title = "Mine"
section = "7"

[[scenario]]
id = "MINE-01"
name = "It describes itself"
call = "GET /metadata"
expect = { status = 200, echo = true, equals = { "CapabilityStatement.fhirVersion" = "4.0.1" } }

[[scenario]]
id = "MINE-02"
name = "It takes requests to validate"
role = "validations"
send = "validation-new"
expect = { status = 200 }
"""
Run = Callable[..., int]


@pytest.fixture
def run(puppet: Puppet, tmp_path: Path) -> Run:
    file = tmp_path / "mine.toml"
    file.write_text(SCENARIOS)

    def call(*arguments: str) -> int:
        usual = ["--target", puppet.url, "--service", "2000099999", "--scenarios", str(file)]
        return main([*usual, "--report", str(tmp_path / "report"), *arguments])

    return call


def test_nothing_failed(run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run() == 0

    assert "1 passed, 0 failed, 1 skipped" in capsys.readouterr().out
    told = json.loads((tmp_path / "report" / "report.json").read_text())
    assert [each["verdict"] for each in told["scenarios"]] == ["passed", "skipped"]
    assert "test data only" in told["note"]


def test_something_failed(
    run: Run, puppet: Puppet, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    puppet.echo = False

    assert run() == 1

    assert "FAILED MINE-01 It describes itself" in capsys.readouterr().out
    told = json.loads((tmp_path / "report" / "report.json").read_text())["scenarios"][0]
    assert "x-request-id was not echoed" in told["findings"][0]
    assert told["rule"].endswith("section 7")
    assert told["exchanges"][0]["request"]["method"] == "GET"
    assert told["exchanges"][0]["response"]["status"] == 200
    suite = ET.parse(tmp_path / "report" / "junit.xml").getroot().find("testsuite")
    assert suite is not None
    assert (suite.get("tests"), suite.get("failures"), suite.get("skipped")) == ("2", "1", "1")
    assert suite.find("testcase/failure") is not None


def test_a_page_shows_what_a_receiver_said_as_text(run: Run, puppet: Puppet, tmp_path: Path) -> None:
    puppet.body = b'{"resourceType": "<script>alert(1)</script>"}'

    run()

    page = (tmp_path / "report" / "index.html").read_text()
    assert "<script>" not in page
    assert "&lt;script&gt;" in page


def test_all_skipped_is_no_proof(run: Run) -> None:
    assert run("--scenario", "MINE-02") == 2


def test_the_service_says_what_it_takes(run: Run, puppet: Puppet) -> None:
    puppet.use_cases = {"servicerequest-request-validation": "a4t1"}

    run("--scenario", "MINE-02")

    posted = [json.loads(body) for method, path, body in puppet.came if method == "POST"]
    (category,) = posted[0]["entry"][1]["resource"]["category"]
    assert [each["code"] for each in category["coding"]] == ["validation", "a4t1"]


@pytest.mark.parametrize(
    "arguments",
    [
        ["--scenario", "NO-SUCH"],
        ["--target", "http://receiver.example/FHIR/R4"],
        ["--target", "ftp://localhost"],
        ["--target", "https://localhost:1/FHIR/R4"],
        ["--target", "https://localhost:1/FHIR/R4", "--cert", "/no/such/file"],
        ["--scenarios", "/no/such/file.toml"],
    ],
    ids=["scenario", "plain-http", "scheme", "nobody-there", "no-certificate", "no-file"],
)
def test_what_cannot_be_run(arguments: list[str], run: Run) -> None:
    assert run(*arguments) == 2


def test_the_list_asks_nobody(puppet: Puppet, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--list", "--scenario", "TLS"]) == 0

    assert "TLS-01" in capsys.readouterr().out
    assert puppet.came == []


def test_what_was_taken_is_taken_back(run: Run, puppet: Puppet, tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(SCENARIOS.replace("validations", "referrals").replace("validation-new", "referral-new"))
    request = {
        "resourceType": "ServiceRequest",
        "id": "0e1c3f0a-0000-4000-8000-000000000001",
        "status": "active",
    }
    puppet.body = json.dumps(
        {"resourceType": "Bundle", "type": "message", "entry": [{"resource": request}]}
    ).encode()

    assert run("--scenario", "MINE-02") == 0

    sent = [json.loads(body) for method, _, body in puppet.came if method == "POST"]
    assert [each["entry"][1]["resource"]["status"] for each in sent] == ["active", "revoked"]
    assert sent[1]["entry"][1]["resource"]["id"] == request["id"]


def test_a_message_says_in_its_header_what_it_is(run: Run, puppet: Puppet, tmp_path: Path) -> None:
    puppet.use_cases = {"servicerequest-request-validation": "a4t1"}

    run("--scenario", "MINE-02")

    told = json.loads((tmp_path / "report" / "report.json").read_text())["scenarios"][0]
    headers = told["exchanges"][0]["request"]["headers"]
    assert headers["use-context"] == "a4t1|validation|servicerequest-request|new"
