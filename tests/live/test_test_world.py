"""The published test world in the running demo: the seeds' own example, and replies that TKW sends later."""

import re
import shlex
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

import orjson
import pytest

from tests.live.conftest import Query
from tests.live.partner import EMERGENCY, Partner, arm, wait_until
from tests.stack import Stack

CATCH_ALL = "2000072489"
TOLD = "SELECT kind FROM referrals_casereply WHERE referral_id = %s"


def send(stack: Stack, number: str, kind: str, use_case: str) -> str:
    return stack.call("tests.live.requesting.send", kind, use_case, CATCH_ALL, nhs_number=number)


def test_the_published_curl_example_works_with_only_the_host_changed(stack: Stack, shared_dir: Path) -> None:
    text = (shared_dir / "seeds" / "testing-and-environments-v1.8.1.txt").read_text()
    (example,) = re.findall(r"curl --location '\S+' \\\n(?:\s+--header '.*' ?\\?\n)+", text)
    command = shlex.split(example.replace("\\\n", " "))
    published = urlsplit(command[2])
    command[2] = f"{stack.simulator}{published.path}"

    done = subprocess.run([*command, "--silent", "--fail"], capture_output=True, check=True, timeout=30)

    assert orjson.loads(done.stdout)["resourceType"] == "CapabilityStatement"


def test_the_example_token_opens_no_real_receiver(proxied: Partner) -> None:
    headers: dict[str, str | None] = {"Authorization": "Bearer yourBearerToken"}

    assert proxied.get("/metadata", service=CATCH_ALL, headers=headers).status_code == 200
    assert proxied.get("/metadata", service=EMERGENCY, headers=headers).status_code == 401


@pytest.mark.parametrize(
    ("number", "status"),
    [
        ("9658499155", "in-progress"),
        pytest.param("9658499147", "completed", marks=pytest.mark.further),
        # The standard and the guide have a rejection in two shapes; both are taken.
        pytest.param("9658499198", "rejected", marks=pytest.mark.further),
        pytest.param("9658499201", "rejected", marks=pytest.mark.further),
    ],
)
def test_a_validation_is_answered_later(stack: Stack, query: Query, number: str, status: str) -> None:
    case_id = send(stack, number, "validation", "a4t1")

    sql = "SELECT status FROM referrals_validationcase WHERE id = %s"
    wait_until(lambda: query(sql, case_id) == [(status,)])


def test_a_patient_who_did_not_attend_is_told_later(stack: Stack, query: Query) -> None:
    case_id = send(stack, "9658499163", "referral", "a1t1")

    wait_until(lambda: bool(query(TOLD, case_id)))
    assert len(query(TOLD, case_id)) == 1


@pytest.mark.alone
@pytest.mark.parametrize("fault", ["expired-certificate", "wrong-certificate", "no-certificate"])
def test_the_receiver_refuses_the_proxys_bad_certificate(stack: Stack, proxied: Partner, fault: str) -> None:
    arm(stack, EMERGENCY, fault, method="GET")

    assert proxied.get("/metadata").status_code == 503
    assert proxied.get("/metadata").status_code == 200
