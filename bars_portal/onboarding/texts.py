"""What goes into the mails to the desks, and what an answer of the token endpoint means. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass

from bars_portal.credentials.environments import Environment
from bars_portal.credentials.mailboxes import Desk

APIS = {
    "int": "Booking and Referral FHIR API (Integration Testing Environment)",
    "simulated-int": "Booking and Referral FHIR API (Integration Testing Environment)",
    "dev": "Booking and Referral FHIR API (Development Environment)",
    "prod": "Booking and Referral FHIR API (Production Environment)",
}
# As API Management calls them.
ENVIRONMENT_WORDS = {
    "int": "Integration Test",
    "simulated-int": "Integration Test",
    "dev": "Development",
    "prod": "Production (Live)",
}


@dataclass(frozen=True)
class Mail:
    """A request text. `attachments` are named, and shown beside it."""

    to: str
    subject: str
    body: str
    attachments: tuple[str, ...] = ()
    note: str = ""


def _mail(desk: Desk, subject: str, lines: list[str], attachments: tuple[str, ...] = ()) -> Mail:
    return Mail(
        desk.mailbox, subject, "\n".join(["Hello,", "", *lines, "", "Kind regards"]), attachments, desk.note
    )


def registration_mail(environment: Environment, *, app_id: str, app_name: str, key_id: str) -> Mail | None:
    """None where there is no such desk."""
    if environment.key_desk is None:
        return None
    lines = [
        "please register our public key for BaRS.",
        "",
        f"Environment: {ENVIRONMENT_WORDS.get(environment.name, environment.title)}",
        f"App ID: {app_id}",
        f"App name: {app_name}",
        f"KID: {key_id}",
        f"APIs: {APIS.get(environment.name, 'Booking and Referral FHIR API')}",
        f"Public key: attached, PEM-encoded ({key_id}.public.pem)",
    ]
    if environment.for_patients:
        lines.insert(2, "Specify: Live. The App ID and name of the supplier's INT app: (fill in)")
    subject = f"BaRS: register public key {key_id}"
    return _mail(environment.key_desk, subject, lines, (f"{key_id}.public.pem",))


def certificate_mail(environment: Environment, *, fqdn: str) -> Mail | None:
    if environment.certificate_desk is None:
        return None
    lines = [
        "please issue a certificate for a BaRS receiver endpoint.",
        "",
        f"FQDN and common name: {fqdn}",
        "Certificate request: attached. Only the common name is filled in; the e-mail is blank.",
    ]
    if not environment.for_patients:
        lines[3:3] = [
            "Environment: Integration",
            "Type: certificate only, no endpoint",
            "Party Key: N/A, there is no relation to SDS endpoints",
        ]
    return _mail(environment.certificate_desk, f"BaRS certificate for {fqdn}", lines, (f"{fqdn}.csr",))


def dns_mail(environment: Environment, *, fqdn: str, address: str) -> Mail | None:
    if environment.dns_desk is None:
        return None
    lines = ["please register this name for a BaRS receiver.", "", f"FQDN: {fqdn}", f"Public IP: {address}"]
    return _mail(environment.dns_desk, f"DNS: {fqdn}", lines)


def firewall_text(environment: Environment, *, port: int = 443) -> str:
    """For whoever runs the firewall; "" where no addresses are published."""
    if not environment.addresses:
        return ""
    lines = [f"Allow TCP {port} to the receiver from the BaRS proxy ({environment.title}):"]
    lines += [f"  {each}" for each in environment.addresses]
    older = {each for found in environment.sources[1:] for each in found.addresses}
    if differing := sorted(older - set(environment.addresses)):
        older_document = environment.sources[-1].document
        lines.append(
            f"An older document ({older_document}) names {', '.join(differing)}: not needed any more."
        )
    return "\n".join(lines)


def catalogue_mail(environment: Environment, *, base_url: str, services: list[str]) -> Mail | None:
    if environment.catalogue_desk is None:
        return None
    lines = [
        "please add our receiver to the Endpoint Catalogue.",
        "",
        f"Environment: {ENVIRONMENT_WORDS.get(environment.name, environment.title)}",
        f"Receiver URL: {base_url}",
        f"Service ids (DoS): {', '.join(services)}",
    ]
    return _mail(environment.catalogue_desk, "BaRS Endpoint Catalogue entry", lines)


_TOKEN_FAILURES: Mapping[str, str] = {
    "public_key error": "API Management does not know this key id, or knows another key under it. Check that "
    "the KID was registered as it stands here, and that the public key is the one of the step before.",
    "invalid_client": "The API key belongs to no application, or to one without this API. Check it in the "
    "developer portal.",
    "invalid_request": "The request was not taken as it was signed. Most often a clock is wrong: compare "
    "this machine's with the time of day.",
    "unusable-private-key": "The file of the private key is missing or damaged. Make a new key.",
    "no-answer-connect": "The token server did not answer. Check that this machine may connect to it.",
    "no-answer-timeout": "The token server did not answer in time. Try again.",
    "no-answer-tls": "The connection to the token server is not secure: its certificate was not accepted.",
}


def token_failure(error: str, description: str, message_id: str) -> str:
    """What the failure body means and what to do; its own words stand behind."""
    meaning = _TOKEN_FAILURES.get(error, "The token server refused.")
    told = f' It said: "{description}"' if description else ""
    reference = f" (reference {message_id})" if message_id else ""
    return f"{meaning}{told}{reference}"[:500]
