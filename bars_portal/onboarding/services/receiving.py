"""The receiver's half: its name, request and certificate, where it is entered, and what partners see."""

from datetime import datetime

from django.db import transaction

from bars_portal.audit.actor import Actor
from bars_portal.credentials.acceptance import Accepted, Expected, accept, fingerprint, name_of, thumbprint
from bars_portal.credentials.environments import Hosting, InvalidName, check_fqdn, environment
from bars_portal.credentials.intake import Unusable, read_certificates, read_key
from bars_portal.credentials.keys import (
    LEAST_PASSWORD,
    bundle,
    chain_pem,
    new_request,
    new_signing_key,
    private_pem,
)
from bars_portal.onboarding import outside
from bars_portal.onboarding.models import Onboarding, vault_of
from bars_portal.onboarding.services.recording import StepRefused, evidence_of, note, require_ready
from bars_portal.onboarding.services.sending import identity_of
from bars_portal.onboarding.steps import RecordState, StepName

# Enough for partners, and a handshake costs a quarter of one with 4096.
RECEIVER_BITS = 2048


def choose_name(*, onboarding: Onboarding, fqdn: str, actor: Actor, now: datetime) -> None:
    """Raises StepRefused with how it should read."""
    require_ready(onboarding=onboarding, step=StepName.NAME, now=now)
    facts = evidence_of(onboarding, StepName.FACTS)
    try:
        check_fqdn(
            fqdn,
            environment(onboarding.environment),
            Hosting(facts["hosting"]),
            ods=onboarding.organisation.ods_code,
        )
    except InvalidName as wrong:
        raise StepRefused(str(wrong)) from None
    note(
        onboarding=onboarding,
        step=StepName.NAME,
        state=RecordState.DONE,
        evidence={"fqdn": fqdn},
        actor=actor,
        now=now,
    )


def make_request(*, onboarding: Onboarding, actor: Actor, now: datetime) -> None:
    """A new key for the receiver, and the request with its name alone. Raises StepRefused."""
    require_ready(onboarding=onboarding, step=StepName.REQUEST, now=now)
    fqdn, vault = str(evidence_of(onboarding, StepName.NAME)["fqdn"]), vault_of(onboarding)
    key = new_signing_key(bits=RECEIVER_BITS)
    # The key in use stays until the new certificate is taken in.
    vault.keep(vault.folder / "requested.key", private_pem(key))
    csr = new_request(key, fqdn).decode()
    note(
        onboarding=onboarding,
        step=StepName.REQUEST,
        state=RecordState.DONE,
        evidence={"fqdn": fqdn, "csr": csr},
        actor=actor,
        now=now,
    )


def ask_for_certificate(*, onboarding: Onboarding, actor: Actor, now: datetime) -> None:
    """The simulator's desk issues it at once, and it is taken in; elsewhere we wait. Raises StepRefused."""
    require_ready(onboarding=onboarding, step=StepName.CERTIFICATE, now=now)
    place, evidence = environment(onboarding.environment), evidence_of(onboarding, StepName.REQUEST)
    if not place.is_simulated:
        note(
            onboarding=onboarding,
            step=StepName.CERTIFICATE,
            state=RecordState.WAITING,
            actor=actor,
            now=now,
        )
        return
    mail = {
        "csr": evidence["csr"],
        "fqdn": evidence["fqdn"],
        "text": "BaRS: a certificate only, no endpoint",
        "party_key": "N/A",
    }
    try:
        answer = outside.ask_desk(place, "certificates", mail)
    except outside.OutsideRefused as refused:
        raise StepRefused(str(refused)) from None
    take_certificate(
        onboarding=onboarding,
        content=f"{answer['certificate']}{answer['chain']}".encode(),
        thumbprints=[str(answer["root_thumbprint"])],
        actor=actor,
        now=now,
    )


def take_certificate(
    *,
    onboarding: Onboarding,
    content: bytes,
    actor: Actor,
    now: datetime,
    password: str = "",
    thumbprints: list[str] | None = None,
) -> Accepted:
    """Judged, then written beside its key for the receiver to read. Raises StepRefused.

    `thumbprints` are SHA-1 of roots that the person has compared with what the NHS publishes.
    """
    require_ready(onboarding=onboarding, step=StepName.CERTIFICATE, now=now)
    vault, fqdn = vault_of(onboarding), str(evidence_of(onboarding, StepName.REQUEST)["fqdn"])
    try:
        key = read_key(vault.read(vault.folder / "requested.key") or b"", least_bits=RECEIVER_BITS)
        expected = Expected(
            environment(onboarding.environment), fqdn, key.public_key(), tuple(thumbprints or ())
        )
        accepted = accept(read_certificates(content, password=password), expected, now=now)
    except Unusable as fault:
        raise StepRefused(fault.sentence) from None
    # The key first: a receiver that looks between the two finds a pair that does not match, and waits.
    vault.keep(vault.receiver_key, private_pem(key))
    vault.keep(vault.chain, chain_pem(list(reversed(accepted.path))), secret=False)
    vault.keep(vault.receiver_certificate, chain_pem(list(accepted.presented)), secret=False)
    note(
        onboarding=onboarding,
        step=StepName.CERTIFICATE,
        state=RecordState.DONE,
        evidence={
            "fqdn": fqdn,
            "fingerprint": fingerprint(accepted.leaf),
            "issuer": name_of(accepted.leaf.issuer),
            "root": name_of(accepted.path[-1].subject),
            "root_thumbprint": thumbprint(accepted.path[-1]),
            "ends_at": accepted.ends_at.isoformat(),
            "notes": list(accepted.notes),
        },
        expires_at=accepted.ends_at,
        actor=actor,
        now=now,
    )
    return accepted


def write_bundle(*, onboarding: Onboarding, password: str, actor: Actor, now: datetime) -> None:
    """Key, certificate and intermediates as PKCS12, into the folder. Raises StepRefused."""
    require_ready(onboarding=onboarding, step=StepName.BUNDLE, now=now)
    if len(password) < LEAST_PASSWORD:
        raise StepRefused(f"The password must have {LEAST_PASSWORD} characters or more.")
    vault = vault_of(onboarding)
    try:
        key = read_key(vault.read(vault.receiver_key) or b"", least_bits=RECEIVER_BITS)
        shown = read_certificates(vault.read(vault.receiver_certificate) or b"").certificates
    except Unusable:
        raise StepRefused(
            "The files of key and certificate are gone. Take the certificate in again."
        ) from None
    fqdn = str(evidence_of(onboarding, StepName.CERTIFICATE)["fqdn"])
    vault.keep(vault.bundle, bundle(key, shown, password=password, name=fqdn))
    note(
        onboarding=onboarding,
        step=StepName.BUNDLE,
        state=RecordState.DONE,
        evidence={"file": vault.bundle.name, "certificates": len(shown)},
        actor=actor,
        now=now,
    )


def ask_for_name(*, onboarding: Onboarding, address: str, actor: Actor, now: datetime) -> None:
    """At the simulator's DNS desk, done at once; elsewhere it waits. Raises StepRefused."""
    require_ready(onboarding=onboarding, step=StepName.NETWORK, now=now)
    place, fqdn = environment(onboarding.environment), str(evidence_of(onboarding, StepName.NAME)["fqdn"])
    if place.is_simulated:
        try:
            outside.ask_desk(place, "names", {"fqdn": fqdn, "address": address})
        except outside.OutsideRefused as refused:
            raise StepRefused(str(refused)) from None
    note(
        onboarding=onboarding,
        step=StepName.NETWORK,
        state=RecordState.DONE if place.is_simulated else RecordState.WAITING,
        evidence={"fqdn": fqdn, "address": address},
        actor=actor,
        now=now,
    )


def enter_in_catalogue(
    *, onboarding: Onboarding, port: int, services: list[str], actor: Actor, now: datetime
) -> None:
    """By the API where the environment has it, else it waits for its keepers. Raises StepRefused."""
    require_ready(onboarding=onboarding, step=StepName.CATALOGUE, now=now)
    place = environment(onboarding.environment)
    fqdn = str(evidence_of(onboarding, StepName.CERTIFICATE)["fqdn"])
    base_url = f"https://{fqdn}{'' if port == 443 else f':{port}'}/FHIR/R4"
    if place.catalogue_api:
        try:
            outside.enter_catalogue(
                identity_of(onboarding),
                name=f"{onboarding.organisation.name}: BaRS",
                base_url=base_url,
                services=services,
                now=now,
            )
        except outside.OutsideRefused as refused:
            raise StepRefused(str(refused)) from None
    note(
        onboarding=onboarding,
        step=StepName.CATALOGUE,
        state=RecordState.DONE if place.catalogue_api else RecordState.WAITING,
        evidence={"base_url": base_url, "services": services},
        actor=actor,
        now=now,
    )


def look_as_partner(*, onboarding: Onboarding, actor: Actor, now: datetime) -> None:
    """Raises StepRefused with what went wrong, which is noted too."""
    require_ready(onboarding=onboarding, step=StepName.PARTNER_VIEW, now=now)
    identity = identity_of(onboarding)
    services = list(evidence_of(onboarding, StepName.CATALOGUE)["services"])
    seen: dict[str, object] = {}
    try:
        for service_id in services:
            statement = outside.read_receiver(identity, service_id, "/metadata", now=now)
            definitions = outside.read_receiver(identity, service_id, "/MessageDefinition", now=now)
            entries = definitions.get("entry")
            seen[service_id] = {
                "software": str((statement.get("software") or {}).get("name", "")),
                "messages": len(entries) if isinstance(entries, list) else 0,
            }
    except outside.OutsideRefused as refused:
        note(
            onboarding=onboarding,
            step=StepName.PARTNER_VIEW,
            state=RecordState.BROKEN,
            words=str(refused),
            actor=actor,
            now=now,
        )
        raise StepRefused(str(refused)) from None
    note(
        onboarding=onboarding,
        step=StepName.PARTNER_VIEW,
        state=RecordState.DONE,
        evidence={"services": seen},
        actor=actor,
        now=now,
    )


CONFIRMED = frozenset({StepName.REGISTRATION, StepName.NETWORK, StepName.CATALOGUE})


@transaction.atomic
def confirm(*, onboarding: Onboarding, step: StepName, actor: Actor, now: datetime) -> None:
    """The desk has answered: what waited is done. Raises StepRefused when nothing waits."""
    if step not in CONFIRMED:
        raise StepRefused("This step is not confirmed: take it.")
    waiting = onboarding.records.select_for_update().filter(step=step.value).first()
    if waiting is None or waiting.state != RecordState.WAITING:
        raise StepRefused("Nothing was asked for that could be confirmed.")
    note(
        onboarding=onboarding,
        step=step,
        state=RecordState.DONE,
        evidence=waiting.evidence,
        actor=actor,
        now=now,
    )
