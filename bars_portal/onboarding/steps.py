"""The way from nothing to live, as data: steps, what each rests on, and how each stands.

Pure. A step is done only while all that it rests on stands as it did then: what changes beneath it opens it
again.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Protocol

from bars_portal.credentials.environments import Environment

# A certificate that ends sooner is told by its end, and no longer as done.
EXPIRES_SOON = timedelta(days=60)
Evidence = Mapping[str, Any]


class StepName(StrEnum):
    FACTS = "facts"
    KEY = "key"
    REGISTRATION = "registration"
    TOKEN = "token"  # noqa: S105 - a step
    NAME = "name"
    REQUEST = "request"
    CERTIFICATE = "certificate"
    BUNDLE = "bundle"
    NETWORK = "network"
    CATALOGUE = "catalogue"
    CONNECTION = "connection"
    PARTNER_VIEW = "partner-view"
    SELF_TEST = "self-test"
    GO_LIVE = "go-live"


@dataclass(frozen=True)
class Step:
    """`waits_for` says who answers what was asked. `of_receivers`: only where the proxy calls receivers."""

    name: StepName
    title: str
    why: str
    rests_on: tuple[StepName, ...] = ()
    waits_for: str = ""
    of_receivers: bool = False
    needs_token: bool = False


_N = StepName
STEPS: tuple[Step, ...] = (
    Step(
        _N.FACTS,
        "Say what is connected",
        "Who hosts the solution, and what it is called. Names of keys and addresses are made of this.",
    ),
    Step(
        _N.KEY,
        "Make the key that signs",
        "The portal signs each request for a token with a private key of this organisation. The key "
        "stays in a file on this machine; only its public half goes out.",
        (_N.FACTS,),
        needs_token=True,
    ),
    Step(
        _N.REGISTRATION,
        "Register the public key",
        "API Management keeps the public key under its key id, so that it can check what the portal signs.",
        (_N.KEY,),
        waits_for="API Management",
        needs_token=True,
    ),
    Step(
        _N.TOKEN,
        "Get a token",
        "The portal signs and asks for an access token, as it will before each message.",
        (_N.REGISTRATION,),
        needs_token=True,
    ),
    Step(
        _N.NAME,
        "Choose the name of the receiver",
        "The certificate, DNS and the endpoint catalogue all use this name, and each environment has "
        "its pattern.",
        (_N.FACTS,),
        of_receivers=True,
    ),
    Step(
        _N.REQUEST,
        "Make the certificate request",
        "A private key for the receiver, and a request with the name alone: every other field stays "
        "blank, the e-mail above all. Then send it to the desk that issues certificates.",
        (_N.NAME,),
        of_receivers=True,
    ),
    Step(
        _N.CERTIFICATE,
        "Take the certificate in",
        "What the desk sent is held against the key, the name and the environment, and its path is "
        "built up to the root.",
        (_N.REQUEST,),
        waits_for="the desk that issues certificates",
        of_receivers=True,
    ),
    Step(
        _N.BUNDLE,
        "Write the PKCS12 file (if another server needs it)",
        "Key and certificates in one file with a password, for a load balancer or another server. The"
        " portal's own receiver reads the PEM files and needs none.",
        (_N.CERTIFICATE,),
        of_receivers=True,
    ),
    Step(
        _N.NETWORK,
        "Have the name and the firewall set up",
        "The name must lead to the receiver, and the proxy's addresses must come through.",
        (_N.NAME,),
        waits_for="the DNS team",
        of_receivers=True,
    ),
    Step(
        _N.CATALOGUE,
        "Enter the receiver in the endpoint catalogue",
        "The proxy looks there where messages to a service id go.",
        (_N.CERTIFICATE, _N.TOKEN),
        waits_for="the keepers of the catalogue",
        of_receivers=True,
    ),
    Step(
        _N.CONNECTION,
        "Send as this organisation (if it has an application of its own)",
        "From then on what this organisation sends is signed with its own key and has its own reply address. "
        "Take the step again when the key was changed: until then the one before is used.",
        (_N.TOKEN,),
        needs_token=True,
    ),
    Step(
        _N.PARTNER_VIEW,
        "See the receiver as partners do",
        "The portal asks its own receiver through the proxy what it is and which messages it takes.",
        (_N.CATALOGUE, _N.NETWORK),
        of_receivers=True,
    ),
    Step(
        _N.SELF_TEST,
        "Run the self-test",
        "What can be tried in this environment is tried, as sender and as receiver, and judged. Below stands "
        "what was run, and what could not be, each with its reason.",
        (_N.PARTNER_VIEW,),
        of_receivers=True,
    ),
    Step(
        _N.GO_LIVE,
        "Sign off",
        "Who says that it may be used, and when.",
        (_N.SELF_TEST,),
        of_receivers=True,
    ),
)
BY_NAME = {each.name: each for each in STEPS}
# Nothing else waits for it.
OPTIONAL = frozenset({_N.BUNDLE, _N.CONNECTION})


class RecordState(StrEnum):
    """What was written down of a step."""

    WAITING = "waiting"
    DONE = "done"
    BROKEN = "broken"


class State(StrEnum):
    """How a step stands now."""

    TO_DO = "to do"
    BLOCKED = "cannot begin yet"
    WAITING = "waiting"
    DONE = "done"
    EXPIRES = "expires soon"
    BROKEN = "not working"


class Noted(Protocol):
    """What was written down: models.StepRecord."""

    state: str
    at: datetime
    evidence: Evidence
    basis: str
    words: str
    expires_at: datetime | None


@dataclass(frozen=True)
class Standing:
    """`first` are steps to be done before. `reopened`: it was done, and what it rests on changed."""

    step: Step
    state: State
    noted: Noted | None = None
    first: tuple[Step, ...] = ()
    reopened: bool = False

    @property
    def stands(self) -> bool:
        return self.state in (State.DONE, State.EXPIRES)

    @property
    def evidence(self) -> Evidence:
        return self.noted.evidence if self.noted else {}


def steps_of(environment: Environment) -> tuple[Step, ...]:
    """Those that the environment has: no token in the sandbox, no receivers in dev."""
    return tuple(
        each
        for each in STEPS
        if (environment.has_receivers or not each.of_receivers)
        and (environment.needs_token or not each.needs_token)
    )


def basis_of(step: Step, notes: Mapping[str, Noted]) -> str:
    """A digest of the evidence that a step rests on directly; the steps beneath guard what they rest on."""
    beneath = {name: notes[name].evidence for name in step.rests_on if name in notes}
    return hashlib.sha256(json.dumps(beneath, sort_keys=True).encode()).hexdigest()


def standings(
    environment: Environment, notes: Mapping[str, Noted], *, now: datetime
) -> Mapping[StepName, Standing]:
    """Of every step of the environment, in order."""
    found: dict[StepName, Standing] = {}
    for step in steps_of(environment):
        found[step.name] = _standing(step, found, notes, now)
    return found


def _standing(
    step: Step, beneath: Mapping[StepName, Standing], notes: Mapping[str, Noted], now: datetime
) -> Standing:
    first = tuple(beneath[name].step for name in step.rests_on if not beneath[name].stands)
    noted = notes.get(step.name)
    if first:
        return Standing(step, State.BLOCKED, noted, first, reopened=_was_done(noted))
    if noted is None:
        return Standing(step, State.TO_DO)
    if noted.basis != basis_of(step, notes):
        return Standing(step, State.TO_DO, noted, reopened=_was_done(noted))
    return Standing(step, _state_of(noted, now), noted)


def _was_done(noted: Noted | None) -> bool:
    return noted is not None and noted.state == RecordState.DONE


def _state_of(noted: Noted, now: datetime) -> State:
    if noted.state == RecordState.WAITING:
        return State.WAITING
    if noted.state == RecordState.BROKEN or (noted.expires_at and noted.expires_at <= now):
        return State.BROKEN
    if noted.expires_at and noted.expires_at <= now + EXPIRES_SOON:
        return State.EXPIRES
    return State.DONE


def next_step(found: Mapping[StepName, Standing]) -> Standing | None:
    """The first that can be worked on; what waits for others is passed over."""
    open_ones: Sequence[Standing] = [
        each
        for each in found.values()
        if each.state in (State.TO_DO, State.BROKEN) and each.step.name not in OPTIONAL
    ]
    return open_ones[0] if open_ones else None
