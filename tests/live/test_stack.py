"""The demo as a whole: everything is up, and what the operations contract promises is there."""

import urllib.request

from tests.stack import Stack


def test_every_program_is_ready(stack: Stack) -> None:
    with urllib.request.urlopen(f"{stack.portal}/health/ready", timeout=30) as answer:
        assert answer.status == 200


def test_the_contract_files_are_there(stack: Stack) -> None:
    for name in ("ca-chain.pem", "ca.key", "receiver.pem", "receiver.key"):
        assert (stack.var / "pki" / name).is_file()
    for name in ("proxy-client", "stranger-client", "wrong-name-client"):
        assert stack.pki.certificate(name).is_file()
        assert stack.pki.key(name).is_file()
    assert "BARS_API_KEY=" in (stack.var / "demo.env").read_text()
