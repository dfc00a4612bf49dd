"""The desks of the NHS: whom to write to for what, and what each mail must hold.

Sources: the standard's pages on onboarding (guide 1.8.2) and on testing and environments (1.8.1).
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Desk:
    """A mailbox, what it does for us, what a mail to it must hold, and who follows when it is read."""

    mailbox: str
    does: str
    must_hold: tuple[str, ...]
    note: str = ""
    # As an earlier version of the documents calls it.
    formerly: str = ""


_KEY_FACTS = (
    "the environment",
    "the App ID and its name in the developer portal",
    "the public key as an attachment, PEM-encoded",
    "the key id (KID)",
    "the APIs that you want to use",
)
KEYS = Desk("api.management@nhs.net", "registers the public key", _KEY_FACTS)
LIVE_KEYS = Desk(
    "api.management@nhs.net",
    "registers the public key",
    (
        "that it is about Live",
        "App ID and name of both the production app and the supplier's app in INT",
        *_KEY_FACTS[2:],
    ),
    "Each provider has a key of its own in production.",
)
ITOC = Desk(
    "itoc.supportdesk@nhs.net",
    "issues the certificate",
    (
        "the certificate request (.csr), the common name alone, the e-mail field blank",
        "that it is a certificate only, without an endpoint",
        "the integration environment",
        "the FQDN, which is also the common name",
        "that it is for BaRS",
        '"N/A" as the party key',
    ),
)
DIR = Desk(
    "dir@nhs.net",
    "issues the certificate",
    (
        "the certificate request (.csr), the common name alone, the e-mail field blank",
        "that it is for a BaRS receiver endpoint",
        "the FQDN, which is also the common name",
    ),
    "Only with the Technical Conformance certificate from Solution Assurance; the team validates the request "
    "with liveservices.gate@nhs.net.",
)
DNS = Desk(
    "dnsteam@nhs.net", "registers the name", ("the FQDN", "the public IP address that it is to lead to")
)
CATALOGUE = Desk(
    "england.bookingandreferralstandard@nhs.net",
    "adds the receiver to the endpoint catalogue",
    ("the receiver's base URL", "the service ids (DoS) that it answers for", "the environment"),
    formerly="bookingandreferralstandard@nhs.net",
)


def simulated(desk: Desk) -> Desk:
    return Desk("the simulator", desk.does, desk.must_hold, "It answers at once.")
