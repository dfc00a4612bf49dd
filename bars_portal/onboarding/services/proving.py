"""The last steps: the self-test, run as a program of its own, and who signs it off."""

import json
import subprocess
import sys
import tempfile
from datetime import datetime
from pathlib import Path

from django.conf import settings

from bars_portal.audit.actor import Actor
from bars_portal.credentials.environments import Environment, environment
from bars_portal.onboarding.models import Onboarding
from bars_portal.onboarding.services.recording import StepRefused, evidence_of, note, require_ready
from bars_portal.onboarding.steps import RecordState, StepName
from bars_portal.onboarding.vault import vault_of

SECONDS = 600
_NOT_HERE = (
    "The scenarios need the proxy's own certificate, which only the simulator's environments "
    "have. Through the proxy the receiver was asked what it is and what it takes; the published "
    "test tool (TKW) sends the rest."
)


def begin_selftest(*, onboarding: Onboarding, actor: Actor, now: datetime) -> bool:
    """Notes that it runs; False where it cannot be run, which is noted as what it is. Raises StepRefused."""
    require_ready(onboarding=onboarding, step=StepName.SELF_TEST, now=now)
    place = environment(onboarding.environment)
    if not place.is_simulated:
        evidence = {"run": "what can be asked through the proxy", "not_run": _NOT_HERE}
        note(
            onboarding=onboarding,
            step=StepName.SELF_TEST,
            state=RecordState.DONE,
            evidence=evidence,
            actor=actor,
            now=now,
        )
        return False
    note(
        onboarding=onboarding,
        step=StepName.SELF_TEST,
        state=RecordState.WAITING,
        words="The self-test is running.",
        actor=actor,
        now=now,
    )
    return True


def run_selftest(*, onboarding: Onboarding, actor: Actor, now: datetime, scenarios: list[str]) -> None:
    """All of them, or those that are named. Raises StepRefused when one fails, which is noted too."""
    catalogue = evidence_of(onboarding, StepName.CATALOGUE)
    with tempfile.TemporaryDirectory() as folder:
        command = _command(onboarding, catalogue["base_url"], catalogue["services"][0], Path(folder))
        for each in scenarios:
            command += ["--scenario", each]
        try:
            done = subprocess.run(
                command, cwd=settings.BASE_DIR, capture_output=True, timeout=SECONDS, check=False
            )
        except subprocess.TimeoutExpired:
            done = None
        counts = _counts(Path(folder) / "report.json")
    passed = done is not None and done.returncode == 0
    words = "" if passed else _words(counts)
    note(
        onboarding=onboarding,
        step=StepName.SELF_TEST,
        state=RecordState.DONE if passed else RecordState.BROKEN,
        evidence={"run": "named scenarios" if scenarios else "every scenario", **counts} if passed else {},
        words=words,
        actor=actor,
        now=now,
    )
    if not passed:
        raise StepRefused(words)


def _command(onboarding: Onboarding, base_url: str, service: str, report: Path) -> list[str]:
    """The simulator's program, with the proxy's certificate of its environment."""
    place = Path(settings.BARS_SIMULATOR_FOLDER) / _folder(environment(onboarding.environment))
    address = str(evidence_of(onboarding, StepName.NETWORK)["address"])
    return [
        *(sys.executable, "-m", "bars_portal.simulator", "selftest"),
        *("--target", base_url, "--address", address, "--service", service),
        *("--cert", str(place / "proxy.pem"), "--key", str(place / "proxy.key")),
        *("--ca", str(vault_of(onboarding).chain), "--report", str(report)),
    ]


def _folder(place: Environment) -> str:
    return place.prefix.strip("/")


def _counts(report: Path) -> dict[str, int]:
    try:
        counts = json.loads(report.read_bytes())["counts"]
    except (OSError, ValueError, KeyError):
        return {}
    return {str(name): int(number) for name, number in counts.items()}


def _words(counts: dict[str, int]) -> str:
    if not counts:
        return "The self-test could not be run: is the receiver running with the new certificate?"
    return f"{counts.get('failed', 0)} scenarios failed, {counts.get('passed', 0)} passed."


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
