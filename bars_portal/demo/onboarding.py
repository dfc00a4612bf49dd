"""`make onboarding-demo`: a new organisation from nothing to a booking through its own new certificate.

By the onboarding commands, against the simulator's desks, in a few minutes; or, with PAGES=1, everything but
the steps is started, and the receiver as soon as there is a certificate for it. Always from empty, loopback
only, state under var/onboarding.
"""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import NoReturn

from bars_portal.demo import facts, setup
from bars_portal.demo.processes import ChildEnded, Children, Program, is_ready, programs, start_embedded
from bars_portal.demo.setup import Ports, PortTaken
from bars_portal.settings.environment import ROOT, VAR, env

ENVIRONMENT = "simulated-int"
ODS, NAME = "HAR01", "Harbour Health"
SERVICE = facts.DemoService(
    "2000099501",
    "Harbour Urgent Treatment Centre",
    "utc",
    ODS,
    ("a1t2", "a1t4", "a1t6"),
    takes_referrals=True,
)
ASSESSES = facts.DemoService(
    "2000099502",
    "Harbour Clinical Assessment Service",
    "cas",
    ODS,
    ("a4t1", "a4t2", "a4t3"),
    takes_bookings=False,
    takes_referrals=True,
)
PEOPLE = (
    facts.DemoUser("clinician", "Chris", "Linnell", "clinician", (ODS,)),
    facts.DemoUser("engineer", "Ellis", "Ngata", "engineer", (ODS,)),
)
_PATIENCE_SECONDS = 60.0


class StepFailed(Exception):
    """A command ended with another exit code than 0; the text has its last words."""


@dataclass(frozen=True)
class Place:
    """Where the organisation's files lie once its steps are taken."""

    folder: Path

    @property
    def has_certificate(self) -> bool:
        return (self.folder / "receiver.pem").is_file()

    def receiver(self) -> dict[str, str]:
        return {
            "RECEIVER_CERT_FILE": str(self.folder / "receiver.pem"),
            "RECEIVER_KEY_FILE": str(self.folder / "receiver.key"),
            "RECEIVER_CA_FILE": str(self.folder / "chain.pem"),
            "BARS_PEER_SOURCES": "127.0.0.1",
        }


def main() -> int:
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupt)
    if (VAR / "demo.env").exists():
        print(f"{VAR} is the demo's folder: set BARS_VAR to another.", file=sys.stderr)
        return 1
    _empty(VAR)
    ports = Ports.read()
    children = Children(log=VAR / "programs.log")
    try:
        ports.require_free()
        server = start_embedded(VAR / "postgres")
        try:
            _run(ports, server.url("bars_portal"), children)
        finally:
            children.stop()
            server.stop()
    except (PortTaken, ChildEnded, StepFailed, TimeoutError) as problem:
        print(f"\nThe onboarding stopped: {problem}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nThe onboarding has stopped.")
    return 0


def _empty(folder: Path) -> None:
    """Of what an earlier run left there; files beside its folders stay."""
    folder.mkdir(parents=True, exist_ok=True)
    for each in folder.iterdir():
        if each.is_dir():
            shutil.rmtree(each)


def _run(ports: Ports, database_url: str, children: Children) -> None:
    shared = _shared(ports, database_url)
    os.environ.update(shared)
    _prepare_data()
    every = programs(VAR, ports, setup.ensure_pki(VAR), shared)
    children.start("simulator", every["simulator"])
    _wait(lambda: is_listening(ports.simulator), "simulator", children)
    place = Place(VAR / "credentials" / ENVIRONMENT / ODS)
    receiver = Program(every["receiver"].command, {**every["receiver"].environment, **place.receiver()})
    if env.text("PAGES", ""):
        _serve_pages(ports, every, receiver, place, children)
    else:
        _take_steps(ports, receiver, place, children)


def _shared(ports: Ports, database_url: str) -> dict[str, str]:
    """As the demo's, but for the environment, and without any sender's credentials."""
    found = setup.portal_environment(VAR, ports, setup.ensure_credentials(VAR), database_url)
    without = {name: value for name, value in found.items() if not name.startswith(("BARS_", "CIS2_"))}
    return {
        **without,
        "BARS_VAR": str(VAR),
        "BARS_ENVIRONMENT": ENVIRONMENT,
        "BARS_SIMULATOR_URL": found["BARS_SIMULATOR_URL"],
        "BARS_ODS_CODE": ODS,
        "BARS_ORGANISATION_NAME": NAME,
        "BARS_SERVICE_ID": SERVICE.service_id,
    }


def _prepare_data() -> None:
    """Tables, the organisation with its people, two services, a diary. Nothing of BaRS yet."""
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0, interactive=False)
    from bars_portal.accounts.models import Organisation
    from bars_portal.demo.seed import ensure_service, ensure_user
    from bookings.services.diaries import generate_slots

    organisation = Organisation.objects.create(ods_code=ODS, name=NAME)
    for person in PEOPLE:
        ensure_user(person, {ODS: organisation})
    ensure_service(ASSESSES, organisation)
    schedule, now = ensure_service(SERVICE, organisation), datetime.now(UTC)
    if schedule is not None:
        generate_slots(schedule=schedule, first_day=now.date(), days=7, now=now)


def _take_steps(ports: Ports, receiver: Program, place: Place, children: Children) -> None:
    began = time.monotonic()
    _step("facts", "hosting=supplier", "name=MySupplier", "product=Harbour portal")
    _step("key", "way=make")
    _step("registration")
    _step("token")
    _step("name")
    _step("request")
    _step("certificate", "--act", "ask")
    _step("network")
    services = f"services={SERVICE.service_id} {ASSESSES.service_id}"
    _step("catalogue", services, f"port={ports.receiver}")
    _step("connection")
    children.start("receiver", receiver)
    _wait(lambda: is_listening(ports.receiver), "receiver", children)
    _step("partner-view")
    _step("self-test")
    _step("go-live", "name=Ellis Ngata", "role=Integration engineer")
    booked = _done([sys.executable, "-m", "bars_portal.demo.first_booking"])
    print(booked.strip())
    print(f"From nothing to a booking in {time.monotonic() - began:.0f} seconds.")


def _step(step: str, *values: str) -> None:
    command = [sys.executable, "manage.py", "bars_onboarding", step, *values]
    print(f"{step:14} ", end="", flush=True)
    said = _done([*command, "--organisation", ODS, "--environment", ENVIRONMENT])
    line = next(line for line in said.splitlines() if line.startswith(step))
    print(line.removeprefix(step).strip())


def _done(command: Sequence[str]) -> str:
    """What it printed. Raises StepFailed."""
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise StepFailed(done.stderr.strip().splitlines()[-1] if done.stderr.strip() else done.stdout)
    return done.stdout


def _serve_pages(
    ports: Ports, every: Mapping[str, Program], receiver: Program, place: Place, children: Children
) -> None:
    """Until Ctrl-C."""
    for name in ("portal", "worker"):
        children.start(name, every[name])
    _wait(lambda: is_ready(ports.portal), "portal", children)
    print(f"Sign in as engineer, password {facts.PASSWORD}:", flush=True)
    print(f"  http://127.0.0.1:{ports.portal}/onboarding/{ENVIRONMENT}/", flush=True)
    print(f"The receiver will listen on port {ports.receiver}; its service ids are")
    print(f"  {SERVICE.service_id} (also for replies) and {ASSESSES.service_id}.", flush=True)
    while not place.has_certificate:
        children.require_running()
        time.sleep(0.5)
    children.start("receiver", receiver)
    children.watch()


def _wait(ready: Callable[[], bool], name: str, children: Children) -> None:
    """Raises ChildEnded or TimeoutError."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while not ready():
        children.require_running()
        if time.monotonic() > deadline:
            raise TimeoutError(f"The {name} did not get ready within {_PATIENCE_SECONDS:.0f} s.")
        time.sleep(0.1)


def is_listening(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _interrupt(_number: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
