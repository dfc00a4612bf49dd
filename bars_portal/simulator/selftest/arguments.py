"""The command line of the self-test."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from bars_portal.simulator.selftest.connections import Target

DESCRIPTION = "Acts for a sender against a receiver: every scenario of the standard, judged and reported."
SENDER = "2000088001"


def read_arguments(arguments: Sequence[str]) -> argparse.Namespace:
    """The options; ends the program with exit code 2 and a message when they are wrong."""
    parser = argparse.ArgumentParser(prog="python -m bars_portal.simulator selftest", description=DESCRIPTION)
    parser.add_argument("--target", metavar="URL", help="base URL of the receiver, https://.../FHIR/R4")
    parser.add_argument("--service", metavar="ID", help="DoS service id under test")
    for name, text in (
        ("cert", "client certificate to show (PEM)"),
        ("key", "its private key (PEM)"),
        ("ca", "certificates that the receiver is trusted by (PEM)"),
        ("wrong-name-cert", "a certificate of the right chain with a name that must be refused"),
        ("wrong-name-key", "its private key"),
    ):
        parser.add_argument(f"--{name}", type=Path, metavar="FILE", help=text)
    parser.add_argument(
        "--scenario",
        action="append",
        default=[],
        metavar="ID",
        help="only this scenario or group; repeatable",
    )
    parser.add_argument(
        "--scenarios",
        action="append",
        type=Path,
        metavar="FILE",
        help="a scenario file of your own, instead of ours",
    )
    parser.add_argument(
        "--sent-request",
        default="",
        metavar="BUNDLE_ID",
        help="a validation request that the tested organisation sent: it is started and completed",
    )
    parser.add_argument("--sender", default=SENDER, metavar="ID", help="service id that messages come from")
    parser.add_argument(
        "--report", type=Path, metavar="DIR", help="folder for index.html, report.json, junit.xml"
    )
    parser.add_argument(
        "--jobs",
        type=int,
        choices=range(1, 17),
        default=4,
        metavar="N",
        help="scenarios under way at once, default 4",
    )
    parser.add_argument("--list", action="store_true", help="list the scenarios and do nothing")
    given = parser.parse_args(arguments)
    if not given.list and not (given.target and given.service):
        parser.error("--target and --service are needed")
    return given


def target_of(given: argparse.Namespace) -> Target:
    """The receiver and the certificates for it."""
    wrong = (given.wrong_name_cert, given.wrong_name_key)
    return Target(
        given.target.rstrip("/"),
        given.ca,
        given.cert,
        given.key,
        wrong if all(wrong) else None,
    )
