"""What the pages say of steps, evidence and environments, and what goes into the mails to the desks."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bars_portal.credentials.environments import Environment
from bars_portal.credentials.mailboxes import Desk
from bars_portal.nhsuk.dates import format_moment
from bars_portal.onboarding.models import Onboarding, SigningKey, Vault
from bars_portal.onboarding.outside import APIS, ENVIRONMENT_WORDS
from bars_portal.onboarding.steps import Standing, State, StepName

_TONES = {
    State.TO_DO: "neutral",
    State.BLOCKED: "neutral",
    State.WAITING: "waiting",
    State.DONE: "done",
    State.EXPIRES: "attention",
    State.BROKEN: "failed",
}
_LABELS = {
    "hosting": "Hosted by",
    "name": "Name",
    "product": "Product",
    "suffix": "Setting",
    "ods_code": "ODS code",
    "key_id": "Key id (KID)",
    "bits": "Bits",
    "app_id": "App ID",
    "app_name": "App name",
    "api": "API",
    "fqdn": "Name of the receiver",
    "fingerprint": "SHA-256 fingerprint",
    "issuer": "Issued by",
    "root": "Root",
    "root_thumbprint": "SHA-1 thumbprint of the root",
    "notes": "Put right",
    "file": "File",
    "certificates": "Certificates in it",
    "address": "IP address",
    "base_url": "Address in the catalogue",
    "services": "Services",
    "service_id": "Replies go to",
    "software_instance": "Software instance",
    "run": "What was run",
    "signed": "Signed by",
}


@dataclass(frozen=True)
class Row:
    """One line of the desk's list."""

    name: str
    title: str
    said: str
    tone: str
    note: str = ""


def row_of(standing: Standing, now: datetime) -> Row:
    step = standing.step
    return Row(step.name.value, step.title, said_of(standing, now), _TONES[standing.state], _note(standing))


def said_of(standing: Standing, now: datetime) -> str:
    noted = standing.noted
    if standing.state is State.WAITING and noted is not None:
        whom = standing.step.waits_for or "the worker"
        return f"Waiting for {whom} since {format_moment(noted.at, now)}"
    if standing.state is State.DONE and noted is not None:
        return f"Done {format_moment(noted.at, now)}"
    if standing.state is State.EXPIRES and noted is not None and noted.expires_at is not None:
        return f"Expires on {format_moment(noted.expires_at, now)}"
    if standing.state is State.BROKEN:
        return "Not working"
    return "Cannot begin yet" if standing.state is State.BLOCKED else "To do"


def _note(standing: Standing) -> str:
    first = standing.first[0].title if standing.first else ""
    if standing.reopened:
        again = "Do it again: what it rests on has changed"
        return f"{again}. First: {first[0].lower()}{first[1:]}." if first else f"{again}."
    if first:
        return f"First: {first[0].lower()}{first[1:]}."
    if standing.state is State.BROKEN and standing.noted is not None:
        return standing.noted.words or "It has expired. Ask for a new one."
    return ""


def evidence_rows(standing: Standing, now: datetime) -> list[dict[str, str]]:
    """For a summary list; texts that stand apart are left out."""
    found = standing.evidence
    rows = [
        {"key": label, "value": _shown(found[name])}
        for name, label in _LABELS.items()
        if name in found and found[name] not in ("", [], None)
    ]
    if standing.noted is not None and standing.noted.expires_at is not None:
        rows.append({"key": "Good until", "value": format_moment(standing.noted.expires_at, now)})
    return rows


@dataclass(frozen=True)
class SelfTestPart:
    """A part of the self-test: `said` sums it up, `why_not` says why there is nothing.

    `groups` are its lines by verdict, worst first: what they are, whether they stand open, and (what, why).
    """

    title: str
    said: str
    tone: str
    why_not: str = ""
    groups: tuple[tuple[str, bool, tuple[tuple[str, str], ...]], ...] = ()


_GROUPS = {"failed": "What failed", "not run": "What could not be run", "passed": "What passed"}


def selftest_parts(standing: Standing) -> list[SelfTestPart]:
    """Of the newest run that was noted."""
    return [_selftest_part(each) for each in standing.evidence.get("parts", [])]


def _selftest_part(part: dict[str, Any]) -> SelfTestPart:
    if part["why_not"]:
        return SelfTestPart(part["title"], "Could not be run", "neutral", part["why_not"])
    counts = part["counts"]
    said = ", ".join(f"{counts[verdict]} {verdict}" for verdict in ("passed", "failed", "not run"))
    lines = {
        verdict: tuple((each["name"], each["why"]) for each in part["lines"] if each["verdict"] == verdict)
        for verdict in _GROUPS
    }
    groups = tuple(
        (f"{words} ({len(lines[verdict])})", verdict == "failed", lines[verdict])
        for verdict, words in _GROUPS.items()
        if lines[verdict]
    )
    return SelfTestPart(part["title"], said, "failed" if counts["failed"] else "done", groups=groups)


def _shown(value: Any) -> str:
    if isinstance(value, dict):
        return "; ".join(f"{key}: {_shown(each)}" for key, each in value.items())
    if isinstance(value, list):
        return "; ".join(_shown(each) for each in value)
    return str(value)


@dataclass(frozen=True)
class Attachment:
    """A public text, to be copied."""

    title: str
    text: str


def receiver_settings(place: Environment, vault: Vault) -> str:
    """Variables that put key and certificate into use."""
    lines = [
        f"BARS_ENVIRONMENT={place.name}",
        f"RECEIVER_CERT_FILE={vault.receiver_certificate}",
        f"RECEIVER_KEY_FILE={vault.receiver_key}",
        f"RECEIVER_CA_FILE={vault.chain}",
    ]
    return "\n".join([*lines, f"BARS_PEER_SOURCES={','.join(place.addresses)}"])


def sender_settings(place: Environment, vault: Vault, key_id: str) -> str:
    """Variables by which the portal signs; the API key stays in its file."""
    lines = [
        f"BARS_ENVIRONMENT={place.name}",
        f"BARS_API_KEY=(the content of {vault.api_key})",
        f"BARS_KEY_ID={key_id}",
        f"BARS_PRIVATE_KEY_FILE={vault.signing_key(key_id)}",
    ]
    return "\n".join(lines)


def attachments_for(
    step: StepName,
    place: Environment,
    evidence: dict[str, Any],
    *,
    key: SigningKey | None,
    vault: Vault,
) -> Iterator[Attachment]:
    if step in (StepName.KEY, StepName.REGISTRATION) and key is not None:
        yield Attachment(f"Public key {key.key_id}", key.public_pem)
    if step is StepName.REQUEST and "csr" in evidence:
        yield Attachment(f"Certificate request for {evidence['fqdn']}", evidence["csr"])
    if step is StepName.CERTIFICATE and "fingerprint" in evidence:
        yield Attachment("For the receiver’s environment", receiver_settings(place, vault))
    if step is StepName.TOKEN and "key_id" in evidence:
        yield Attachment("For the portal’s environment", sender_settings(place, vault, evidence["key_id"]))
    if step is StepName.NETWORK and (firewall := firewall_text(place)):
        yield Attachment("For the firewall", firewall)


def facts_of(place: Environment, simulator: str) -> list[dict[str, str]]:
    """An environment's row of facts, for people."""
    chain, desks = (
        place.outbound,
        (place.key_desk, place.certificate_desk, place.dns_desk, place.catalogue_desk),
    )
    facts = [
        ("API", place.base_url(simulator)),
        ("Token", place.token_url(simulator) if place.needs_token else "No token is needed"),
        ("The proxy shows", ", ".join(place.peer_names) if place.has_receivers else ""),
        ("Chain", " < ".join(each.common_name for each in chain.authorities) if chain else ""),
        ("Thumbprint of the root (SHA-1)", chain.root.sha1 if chain else ""),
        ("Requests come from", "; ".join(_sources(place))),
        ("Names of receivers", "; ".join(place.patterns.values())),
        ("Key ids", f"<Supplier or provider>-{place.word}-<rotation>" if place.needs_token else ""),
        ("Desks", "; ".join(f"{each.mailbox} {each.does}" for each in desks if each)),
    ]
    return [{"key": key, "value": value} for key, value in facts if value]


def _sources(place: Environment) -> Iterator[str]:
    for found in place.sources:
        yield f"{', '.join(found.addresses)} ({found.document})"


# -- mails to the desks


@dataclass(frozen=True)
class Mail:
    """A request text. `attachments` are named, and shown beside it."""

    to: str
    subject: str
    body: str
    attachments: tuple[str, ...] = ()
    note: str = ""


def mails_for(
    step: StepName, place: Environment, onboarding: Onboarding, evidence: dict[str, Any]
) -> Iterator[Mail]:
    """The request texts of a step, once its facts are known."""
    found = None
    if step is StepName.REGISTRATION and "key_id" in evidence:
        found = registration_mail(
            place,
            app_id=evidence["app_id"],
            app_name=evidence["app_name"],
            key_id=evidence["key_id"],
        )
    elif step is StepName.REQUEST and "fqdn" in evidence:
        found = certificate_mail(place, fqdn=evidence["fqdn"])
    elif step is StepName.NETWORK and "fqdn" in evidence:
        found = dns_mail(place, fqdn=evidence["fqdn"], address=evidence["address"])
    elif step is StepName.CATALOGUE and "base_url" in evidence:
        found = catalogue_mail(place, base_url=evidence["base_url"], services=list(evidence["services"]))
    if found is not None and not place.is_simulated:
        yield found


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
