"""The last steps: the self-test, part by part, and who signs it off.

What is run depends on the environment; each part tells what was run, or why it could not be.
"""

import json
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction

from bars_portal.audit.actor import Actor
from bars_portal.credentials.environments import Environment, environment
from bars_portal.onboarding import outside
from bars_portal.onboarding.models import Onboarding, vault_of
from bars_portal.onboarding.services.recording import StepRefused, evidence_of, note, require_ready
from bars_portal.onboarding.services.sending import identity_of
from bars_portal.onboarding.steps import RecordState, StepName
from bars_portal.sender_drill import running
from bars_portal.sender_drill.desk import DrillError, own_desk, rows
from directory.models import HealthcareService

Clock = Callable[[], datetime]
# Of the scenarios alone.
SECONDS = 600
# After that a run that has not ended is taken for broken off: longer than all its parts together may take.
GIVEN_UP_AFTER = timedelta(seconds=SECONDS + running.SECONDS + 300)
_SLOTS_AHEAD = timedelta(days=3)
_NO_SCENARIOS = (
    "The scenarios are sent with the proxy's own certificate, which only the simulator's environments have. "
    "The published test tool (TKW) sends its own: ask for them in its portal."
)
# Of the program's report: what passed is counted only.
_VERDICTS = {"failed": running.Verdict.FAILED, "skipped": running.Verdict.NOT_RUN}
_NO_DRILL = (
    "The drill books and refers for test patients: it runs only where the published test services answer."
)


@dataclass(frozen=True)
class Line:
    """One thing that was tried. `verdict` is one of running.Verdict; `why` what was found, "" when passed."""

    name: str
    verdict: running.Verdict
    why: str = ""


@dataclass(frozen=True)
class Part:
    """A part of the self-test: its lines, or why it could not be run. `passed` counts beyond `lines`."""

    title: str
    lines: tuple[Line, ...] = ()
    why_not: str = ""
    passed: int = 0

    @property
    def counts(self) -> Counter[str]:
        return Counter(each.verdict for each in self.lines) + Counter({"passed": self.passed})

    @property
    def failed(self) -> int:
        return self.counts[running.Verdict.FAILED]

    def as_evidence(self) -> dict[str, Any]:
        return {
            "title": self.title,
            "why_not": self.why_not,
            "counts": {verdict.value: self.counts[verdict] for verdict in running.Verdict},
            "lines": [asdict(each) for each in self.lines],
        }


@transaction.atomic
def begin_selftest(*, onboarding: Onboarding, actor: Actor, now: datetime) -> None:
    """Notes that it runs. Raises StepRefused, also when it runs already."""
    Onboarding.objects.select_for_update().get(pk=onboarding.pk)
    require_ready(onboarding=onboarding, step=StepName.SELF_TEST, now=now)
    known = onboarding.records.filter(step=StepName.SELF_TEST.value, state=RecordState.WAITING.value)
    if known.filter(at__gt=now - GIVEN_UP_AFTER).exists():
        raise StepRefused("The self-test is running. Look again in some minutes.")
    note(
        onboarding=onboarding,
        step=StepName.SELF_TEST,
        state=RecordState.WAITING,
        words="The self-test is running.",
        actor=actor,
        now=now,
    )


def run_selftest(*, onboarding: Onboarding, actor: Actor, clock: Clock, scenarios: Sequence[str]) -> None:
    """Every part that the environment has; of the scenarios those that are named, or all.

    Raises StepRefused when something fails, which is noted too.
    """
    now = clock()
    try:
        parts = list(_parts(onboarding, scenarios, clock))
    except StepRefused as refused:
        _note(onboarding, RecordState.BROKEN, [], refused.sentence, actor, now)
        raise
    except BaseException:
        # Also Ctrl-C: nobody waits for a run that has ended. What broke it is for the log.
        _note(onboarding, RecordState.BROKEN, [], "It broke off: the portal's log says where.", actor, now)
        raise
    words = " ".join(f"{each.title}: {each.failed} failed." for each in parts if each.failed)
    _note(onboarding, RecordState.BROKEN if words else RecordState.DONE, parts, words, actor, now)
    if words:
        raise StepRefused(words)


def _note(
    onboarding: Onboarding,
    state: RecordState,
    parts: Sequence[Part],
    words: str,
    actor: Actor,
    now: datetime,
) -> None:
    run = [each.title for each in parts if not each.why_not]
    evidence = {"run": run, "parts": [each.as_evidence() for each in parts]}
    note(
        onboarding=onboarding,
        step=StepName.SELF_TEST,
        state=state,
        evidence=evidence,
        words=words,
        actor=actor,
        now=now,
    )


def _parts(onboarding: Onboarding, scenarios: Sequence[str], clock: Clock) -> Iterator[Part]:
    place = environment(onboarding.environment)
    services = [str(each) for each in evidence_of(onboarding, StepName.CATALOGUE)["services"]]
    yield _asked(onboarding, services, clock())
    yield _scenarios(onboarding, place, services[0], scenarios)
    yield _drill(onboarding, place, services, clock)


def _asked(onboarding: Onboarding, services: Sequence[str], now: datetime) -> Part:
    """What a sender asks of our own services, through the proxy. It changes nothing: also for production."""
    identity, lines = identity_of(onboarding), []
    books = set(
        HealthcareService.objects.filter(
            service_id__in=services, hosted=True, active=True, takes_bookings=True
        ).values_list("service_id", flat=True)
    )
    for service_id in services:
        for path in ("/metadata", "/MessageDefinition", "/Slot"):
            name = f"{path} of {service_id}"
            if path == "/Slot" and service_id not in books:
                lines.append(Line(name, running.Verdict.NOT_RUN, "It takes no bookings here."))
                continue
            params = outside.slot_params(service_id, now, now + _SLOTS_AHEAD) if path == "/Slot" else ()
            try:
                outside.read_receiver(identity, service_id, path, now=now, params=params)
            except outside.OutsideRefused as refused:
                lines.append(Line(name, running.Verdict.FAILED, str(refused)))
            else:
                lines.append(Line(name, running.Verdict.PASSED))
    return Part("Asked through the proxy, as a sender", tuple(lines))


def _scenarios(onboarding: Onboarding, place: Environment, service: str, names: Sequence[str]) -> Part:
    """The simulator's program, with the proxy's certificate of its environment."""
    title = "Named scenarios, sent to the receiver" if names else "Every scenario, sent to the receiver"
    if not place.is_simulated:
        return Part(title, why_not=_NO_SCENARIOS)
    base_url = str(evidence_of(onboarding, StepName.CATALOGUE)["base_url"])
    with tempfile.TemporaryDirectory() as folder:
        command = _command(onboarding, place, base_url, service, Path(folder))
        for each in names:
            command += ["--scenario", each]
        try:
            done = subprocess.run(
                command, cwd=settings.BASE_DIR, capture_output=True, timeout=SECONDS, check=False
            )
        except subprocess.TimeoutExpired:
            done = None
        report = _report(Path(folder) / "report.json")
    results = report.get("scenarios", [])
    lines = [
        Line(str(each["name"]), _VERDICTS[each["verdict"]], "; ".join(map(str, each["findings"]))[:300])
        for each in results
        if each["verdict"] in _VERDICTS
    ]
    has_failed = any(each.verdict is running.Verdict.FAILED for each in lines)
    if not has_failed and (done is None or done.returncode != 0):
        sentence = "It could not be run to its end: is the receiver running with the new certificate?"
        lines.append(Line("The program", running.Verdict.FAILED, sentence))
    passed = sum(each["verdict"] == "passed" for each in results)
    return Part(title, tuple(lines), passed=passed)


def _command(
    onboarding: Onboarding, place: Environment, base_url: str, service: str, report: Path
) -> list[str]:
    folder = Path(settings.BARS_SIMULATOR_FOLDER) / place.prefix.strip("/")
    address = str(evidence_of(onboarding, StepName.NETWORK)["address"])
    return [
        *(sys.executable, "-m", "bars_portal.simulator", "selftest"),
        *("--target", base_url, "--address", address, "--service", service),
        *("--cert", str(folder / "proxy.pem"), "--key", str(folder / "proxy.key")),
        *("--ca", str(vault_of(onboarding).chain), "--report", str(report)),
    ]


def _report(file: Path) -> dict[str, Any]:
    try:
        found = json.loads(file.read_bytes())
    except (OSError, ValueError):
        return {}
    return dict(found) if isinstance(found, dict) else {}


def _drill(onboarding: Onboarding, place: Environment, services: Sequence[str], clock: Clock) -> Part:
    """Every sentinel of the published test services, through the portal's own services."""
    title = running.TITLE
    if not place.has_test_services:
        return Part(title, why_not=_NO_DRILL)
    if settings.BARS["ENVIRONMENT"] != place.name:
        return Part(
            title,
            why_not="It sends as this installation does, and that runs in "
            f"{environment(settings.BARS['ENVIRONMENT']).title}. Start it with "
            f"BARS_ENVIRONMENT={place.name}, and run the self-test again.",
        )
    try:
        desk = own_desk(onboarding.organisation, reachable=services, clock=clock)
    except DrillError as missing:
        return Part(title, why_not=str(missing))
    results = running.run_at_int(desk, rows(), note=lambda _: None)
    lines = (
        Line(f"{each.row.scenario}: {each.row.act}", each.verdict, "; ".join(each.findings))
        for each in results
    )
    return Part(title, tuple(lines))


def sign_off(*, onboarding: Onboarding, name: str, role: str, actor: Actor, now: datetime) -> None:
    """Raises StepRefused."""
    require_ready(onboarding=onboarding, step=StepName.GO_LIVE, now=now)
    known = onboarding.records.filter(step=StepName.GO_LIVE.value).first()
    signed = list(known.evidence.get("signed", [])) if known is not None else []
    signed.append({"name": name, "role": role, "at": now.isoformat()})
    note(
        onboarding=onboarding,
        step=StepName.GO_LIVE,
        state=RecordState.DONE,
        evidence={"signed": signed},
        actor=actor,
        now=now,
    )
