"""The API as a new user tries it: the examples, as they stand, over the running stack."""

import json
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from uuid import uuid4

import httpx
import pytest

from tests.live.messages import addressed, only
from tests.live.partner import SERVICE_SYSTEM, Partner, demo_env, new_ids, wait_until
from tests.stack import Stack
from tests.unit.docs.markdown import ROOT, blocks

ASKING, WORKING = (ROOT / "docs" / "how-to" / "call-the-api.md").read_text().split("## Work a case")
ASSESSMENT, REPLIES = "2000099003", "2000099000"
COOK = {
    "family_name": "Cook",
    "given_names": "Violet",
    "birth_date": "1918-02-07",
    "gender": "female",
    "phone": "07700 900123",
}
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
        pytest.param("sh", 2, SHELL, ("True", "Sent", "Patient did not attend"), marks=pytest.mark.further),
        pytest.param("python", 1, PYTHON, ("Booked ",), marks=pytest.mark.further),
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


def opened(stack: Stack) -> httpx.Client:
    """As the demo's application."""
    known, form = demo_env(stack), {"grant_type": "client_credentials"}
    proof = known["API_CLIENT_ID"], known["API_CLIENT_SECRET"]
    answer = httpx.post(f"{stack.portal}/api/oauth2/token/", data=form, auth=proof, timeout=30)
    token = {"Authorization": f"Bearer {answer.json()['access_token']}"}
    return httpx.Client(base_url=stack.portal, timeout=30, headers=token)


def written(key: str) -> int:
    """How many requests under the key have written, called in the stack."""
    from bars_portal.api.models import KeyedRequest

    return KeyedRequest.objects.filter(key=key, written_at__isnull=False, answered_at=None).count()


@pytest.mark.thorough
def test_a_kill_9_between_commit_and_answer_does_not_double(stack: Stack) -> None:
    """Of the whole web server: it has written, and waits for the outcome before it answers (Prefer: wait)."""
    key, lost = str(uuid4()), []
    with opened(stack) as api:
        slot = api.get(f"/api/v1/services/{ASSESSMENT}/slots").json()["slots"][-1]["id"]
        body = {"slot": slot, "patient": COOK}

        def book() -> httpx.Response:
            asked = {"Idempotency-Key": key, "Prefer": "wait=10"}
            return api.post("/api/v1/bookings", json=body, headers=asked)

        def book_and_hear_nothing() -> None:
            try:
                book()
            except httpx.TransportError as error:
                lost.append(error)

        asking = Thread(target=book_and_hear_nothing)
        # Ready to look before there is something to see: it is there for ten seconds only.
        assert stack.call("tests.live.test_api.written", key) == "0"
        with stopped(stack, "celery"):
            asking.start()
            wait_until(lambda: stack.call("tests.live.test_api.written", key) == "1")
            kill(stack, "gunicorn_portal")
            asking.join(timeout=30)
        assert lost, "the first request was answered"
        stack.wait_ready()
        again = book()
        assert (again.status_code, again.headers["Idempotent-Replayed"]) in ((201, "true"), (202, "true"))
        wait_until(lambda: not api.get(again.headers["Location"]).json()["state"]["is_open"])
        read = api.get(again.headers["Location"]).json()
        assert read["state"]["code"] == "booked", read["reason"]
        listed = api.get("/api/v1/bookings", params={"journey": read["journey"]}).json()["items"]
        assert [each["id"] for each in listed] == [read["id"]]
        refused = api.post("/api/v1/bookings", json=body, headers={"Idempotency-Key": f"{key}-2"})
        assert refused.status_code == 409, "the time is taken once"


def tokens(client_id: str, count: int) -> str:
    """Of as many new applications of the organisation of this one, called in the stack."""
    from bars_portal.api.models import Application
    from tests.factories.api import bearer, make_application

    organisation = Application.objects.get(account__username=client_id).organisation
    made = [make_application(organisation=organisation, name=f"Racer {number}") for number in range(count)]
    return json.dumps([bearer(each) for each in made])


@pytest.mark.thorough
def test_64_applications_at_once_get_one_slot_once(stack: Stack) -> None:
    known = demo_env(stack)
    headers = json.loads(stack.call("tests.live.test_api.tokens", known["API_CLIENT_ID"], 64))
    with opened(stack) as api:
        slot = api.get(f"/api/v1/services/{ASSESSMENT}/slots").json()["slots"][-2]["id"]

        def book(own: dict[str, str]) -> tuple[str, str]:
            """State and reason of what became of it."""
            asked = {**own, "Idempotency-Key": str(uuid4())}
            with httpx.Client(base_url=stack.portal, timeout=120) as client:
                made = client.post("/api/v1/bookings", json={"slot": slot, "patient": COOK}, headers=asked)
                if made.status_code == 409:
                    return "conflict", ""
                assert made.status_code == 202, made.text
                where = made.headers["Location"]
                wait_until(lambda: not client.get(where, headers=own).json()["state"]["is_open"], seconds=120)
                read = client.get(where, headers=own).json()
                return read["state"]["code"], read["reason_code"]

        with ThreadPoolExecutor(64) as pool:
            became = Counter(pool.map(book, headers))
    assert became.pop(("booked", "")) == 1
    assert set(became) <= {("refused", "taken"), ("conflict", "")}
    assert became.total() == 63


def groups(stack: Stack, program: str) -> list[int]:
    """Process groups of what the launcher started under this name."""
    found = [pid for pid, line in stack.launcher.children().items() if program in line]
    assert found, stack.launcher.children()
    return found


def kill(stack: Stack, program: str) -> None:
    for group in groups(stack, program):
        os.killpg(group, signal.SIGKILL)


@contextmanager
def stopped(stack: Stack, program: str) -> Iterator[None]:
    """It does nothing for a while, and is not dead."""
    held = groups(stack, program)
    for group in held:
        os.killpg(group, signal.SIGSTOP)
    try:
        yield
    finally:
        for group in held:
            os.killpg(group, signal.SIGCONT)


def test_a_body_in_chunks_is_read(stack: Stack) -> None:
    """Through the real server: httpx sends what it is given piece by piece in chunks."""
    with opened(stack) as client:
        headers = {"Content-Type": "application/json", "Idempotency-Key": "c"}
        pieces = iter([b'{"sur', b'prise": 1}'])
        answer = client.post("/api/v1/bookings", content=pieces, headers=headers)
    assert answer.status_code == 422, answer.text
    assert "/surprise" in [each["pointer"] for each in answer.json()["errors"]]
