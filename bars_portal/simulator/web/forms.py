"""The form that starts a self-test: what is in it, and what is wrong with what was sent."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bars_portal.simulator.config import Config
from bars_portal.simulator.selftest.arguments import SENDER
from bars_portal.simulator.selftest.connections import Target, TargetError, require_usable
from bars_portal.simulator.selftest.model import Scenario
from bars_portal.simulator.selftest.selecting import UnknownScenario, select

_SERVICE = re.compile(r"\d{1,20}")
_FILES = ("ca", "cert", "key")


@dataclass(frozen=True)
class SelftestForm:
    """The fields as they were sent; `groups` and `scenarios` choose, none of them means all."""

    target: str
    service: str
    ca: str
    cert: str
    key: str
    groups: tuple[str, ...] = ()
    scenarios: str = ""
    sender: str = SENDER

    @classmethod
    def empty(cls, config: Config, *, target: str, service: str) -> "SelftestForm":
        """What the page suggests: the proxy's certificate, and a receiver that is known."""
        files = (str(config.ca_file), str(config.client_cert_file), str(config.client_key_file))
        return cls(target, service, *files)

    @classmethod
    def read(cls, fields: Mapping[str, Sequence[str]]) -> "SelftestForm":
        """From a posted form."""
        texts = {
            name: fields.get(name, [""])[0].strip() for name in ("target", "service", *_FILES, "scenarios")
        }
        return cls(**texts, groups=tuple(fields.get("group", ())))

    @property
    def receiver(self) -> Target:
        """The receiver and the certificates for it."""
        ca, cert, key = (Path(text) if text else None for text in (self.ca, self.cert, self.key))
        return Target(self.target.rstrip("/"), ca, cert, key)

    def chosen(self, scenarios: Sequence[Scenario]) -> tuple[Scenario, ...]:
        """The scenarios that are meant. Raises UnknownScenario."""
        return select(scenarios, [*self.groups, *self.scenarios.replace(",", " ").split()])

    def faults(self, scenarios: Sequence[Scenario]) -> dict[str, str]:
        """What is wrong, by field."""
        found = {}
        try:
            require_usable(self.receiver)
        except TargetError as problem:
            found["target"] = f"Receiver: {problem}"
        if not _SERVICE.fullmatch(self.service):
            found["service"] = "Service: enter a DoS service id, digits only"
        for name in _FILES:
            if getattr(self, name) and not Path(getattr(self, name)).is_file():
                found[name] = f"There is no such file: {getattr(self, name)}"
        try:
            self.chosen(scenarios)
        except UnknownScenario as problem:
            found["scenarios"] = str(problem)
        return found
