"""The API as a new user tries it: the examples, as they stand, over the running stack."""

import os
import subprocess
import sys
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from tests.live.messages import addressed, only
from tests.live.partner import SERVICE_SYSTEM, Partner, demo_env, new_ids
from tests.stack import Stack
from tests.unit.docs.markdown import ROOT, blocks

ASKING, WORKING = (ROOT / "docs" / "how-to" / "call-the-api.md").read_text().split("## Work a case")
ASSESSMENT, REPLIES = "2000099003", "2000099000"
LOCAL_APP = ROOT / "docs" / "examples" / "local_app.py"


def run(stack: Stack, folder: Path, program: list[str], **environment: str) -> list[str]:
    """What it printed, line by line."""
    surroundings = {**os.environ, **demo_env(stack), **environment}
    ran = subprocess.run(
        program, cwd=folder, env=surroundings, capture_output=True, text=True, timeout=120, check=False
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout.splitlines()


SHELL, PYTHON = ["bash", "-euo", "pipefail", "-c"], [sys.executable, "-c"]


@pytest.mark.parametrize(
    ("language", "part", "program", "said"),
    [
        ("sh", 1, SHELL, ("The appointment is booked: ", "Cancelled")),
        ("sh", 2, SHELL, ("True", "Sent", "Patient did not attend")),
        ("python", 1, PYTHON, ("Booked ",)),
        ("python", 2, PYTHON, ("Sent", "Outcome No ambulance is needed")),
    ],
)
def test_the_examples_do_what_they_say(
    stack: Stack, tmp_path: Path, language: str, part: int, program: list[str], said: tuple[str, ...]
) -> None:
    """Each after the first of its language, which asks for the token."""
    (tmp_path / "var").symlink_to(stack.var)
    parts = list(blocks(ASKING, language))
    lines = run(stack, tmp_path, [*program, parts[0] + parts[part]], API=stack.portal)
    assert [line[: len(start)] for line, start in zip(lines, said, strict=True)] == list(said)


def test_the_examples_work_a_case(stack: Stack, tmp_path: Path, direct: Partner, shared_dir: Path) -> None:
    """The first gives the outcome, the second corrects it."""
    (tmp_path / "var").symlink_to(stack.var)
    message = addressed(shared_dir, "VALREQ01", ASSESSMENT) | {"id": str(uuid4())}
    only(message, "MessageHeader")["source"]["endpoint"] = f"{SERVICE_SYSTEM}|{REPLIES}"
    ids = new_ids()
    stack.call("tests.live.answering.register", message["id"], ids[1], ASSESSMENT)
    taken = direct.post(message, ids=ids, service=ASSESSMENT)
    case = f"{stack.portal}/api/v1/cases/{only(taken.json(), 'ServiceRequest')['id']}"
    for language, program, said in (
        ("sh", SHELL, ["In progress", "Delivered"]),
        ("python", PYTHON, ["Completed Delivered"]),
    ):
        (example,) = blocks(WORKING, language)
        assert run(stack, tmp_path, [*program, example], API=stack.portal, CASE=case)[-len(said) :] == said


def test_the_local_app_books_and_hears_of_it(stack: Stack, tmp_path: Path) -> None:
    lines = run(stack, tmp_path, [sys.executable, str(LOCAL_APP)], API_URL=stack.portal)
    assert [line.split()[0] for line in lines[:2]] == ["asked", "heard"]
    assert lines[-1].startswith("The appointment is booked: ")


def test_a_body_in_chunks_is_read(stack: Stack) -> None:
    """Through the real server: httpx sends what it is given piece by piece in chunks."""
    known = demo_env(stack)
    proof = known["API_CLIENT_ID"], known["API_CLIENT_SECRET"]
    with httpx.Client(base_url=stack.portal, timeout=30) as client:
        form = {"grant_type": "client_credentials"}
        token = client.post("/api/oauth2/token/", data=form, auth=proof).json()["access_token"]
        headers = {
            "Authorization": f"Bearer {token}",
            "Content-Type": "application/json",
            "Idempotency-Key": "c",
        }
        pieces = iter([b'{"sur', b'prise": 1}'])
        answer = client.post("/api/v1/bookings", content=pieces, headers=headers)
    assert answer.status_code == 422, answer.text
    assert "/surprise" in [each["pointer"] for each in answer.json()["errors"]]
