"""What `make demo` prints when everything is ready."""

from bars_portal.demo import facts
from bars_portal.demo.ports import Ports


def welcome(ports: Ports) -> str:
    names = ", ".join(user.username for user in facts.USERS)
    return f"""
The demo is ready. It is not for patients.

  Portal     http://127.0.0.1:{ports.portal}           (administration: /admin/)
  Receiver   https://127.0.0.1:{ports.receiver}/FHIR/R4  (mutual TLS; certificates in var/pki)
  Simulator  http://127.0.0.1:{ports.simulator}           (the NHS side: what it received)

  Sign in as {names}
  Password   {facts.PASSWORD}

Press Ctrl-C to stop everything.
"""
