"""Prove a receiver, the demo's by default: runs the simulator's self-test as a program of its own."""

import subprocess
import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from bars_portal.demo.setup import Ports
from bars_portal.settings.environment import ROOT, VAR

# Riverside Hub, which accepts every use case (demo/facts.py).
HUB = "2000099999"
_FILES = ("cert", "key", "ca")
_TEXTS = ("service", "sender", "sent-request", "closed-slot")


class Command(BaseCommand):
    help = (
        "Send every scenario of the standard that the service is for to a receiver, judge the answers and "
        "report. Exit code 0: none failed, 1: some did, 2: it could not be run."
    )
    # The receiver may be another machine's: neither our database nor our settings matter here.
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        option = parser.add_argument
        option("--scenario", action="append", default=[], metavar="ID", help="only this; repeatable")
        option("--scenarios", action="append", default=[], metavar="FILE", help="a file of your own")
        option("--target", metavar="URL", help="a receiver's base URL; the demo's when not given")
        for name in _FILES:
            option(f"--{name}", metavar="FILE", help="PEM file for mutual TLS")
        option("--service", default=HUB, metavar="ID", help=f"DoS service id, {HUB} by default")
        option("--sent-request", metavar="BUNDLE_ID", help="a validation request sent from there")
        option("--closed-slot", metavar="ID|START|END", help="a slot that the service does not offer now")
        option("--sender", metavar="ID", help="service id that messages come from")
        option("--report", metavar="DIR", help="folder for index.html, report.json and junit.xml")
        option("--list", action="store_true", help="list the scenarios and do nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["target"] is None and any(options[name] for name in _FILES):
            raise CommandError("--cert, --key and --ca belong to a --target.", returncode=2)
        command = [sys.executable, "-m", "bars_portal.simulator", "selftest", *_arguments(options)]
        done = subprocess.run(command, cwd=ROOT, check=False)
        if done.returncode:
            sys.exit(done.returncode)


def _arguments(options: dict[str, Any]) -> list[str]:
    given = _of_the_demo() if options["target"] is None else {"target": options["target"]}
    given |= {name: options[name.replace("-", "_")] for name in _TEXTS if options[name.replace("-", "_")]}
    given |= {name: str(Path(options[name]).absolute()) for name in (*_FILES, "report") if options[name]}
    arguments = [part for name, value in given.items() for part in (f"--{name}", value)]
    for each in options["scenario"]:
        arguments += ["--scenario", each]
    for each in options["scenarios"]:
        arguments += ["--scenarios", str(Path(each).absolute())]
    return [*arguments, "--list"] if options["list"] else arguments


def _of_the_demo() -> dict[str, str]:
    pki = VAR / "pki"
    return {
        "target": f"https://localhost:{Ports.read().receiver}/FHIR/R4",
        "cert": str(pki / "proxy-client.pem"),
        "key": str(pki / "proxy-client.key"),
        "ca": str(pki / "ca-chain.pem"),
        "wrong-name-cert": str(pki / "wrong-name-client.pem"),
        "wrong-name-key": str(pki / "wrong-name-client.key"),
    }
