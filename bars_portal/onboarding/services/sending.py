"""The sender's half: facts, the key that signs, its registration, a token, and putting it into use."""

from dataclasses import asdict, dataclass
from datetime import datetime

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from django.db import transaction

from bars_portal.accounts.models import Organisation
from bars_portal.audit.actor import Actor
from bars_portal.credentials.environments import Hosting, environment
from bars_portal.credentials.intake import Unusable, read_key
from bars_portal.credentials.keys import InvalidKeyId, check_key_id, new_signing_key, private_pem, public_pem
from bars_portal.exchange.gateway import senders
from bars_portal.exchange.transport.auth import TokenRefused
from bars_portal.exchange.transport.headers import Party
from bars_portal.onboarding import outside
from bars_portal.onboarding.models import Onboarding, SigningKey, Vault, vault_of
from bars_portal.onboarding.outside import APIS, ENVIRONMENT_WORDS, token_failure
from bars_portal.onboarding.selectors import current_key
from bars_portal.onboarding.services.recording import StepRefused, evidence_of, note, require_ready
from bars_portal.onboarding.steps import RecordState, StepName
from directory.models import HealthcareService

SIGNING_BITS = 4096


@dataclass(frozen=True)
class Facts:
    """`name` is the supplier's or provider's, as names of keys and hosts have it; `suffix` the setting's."""

    hosting: Hosting
    name: str
    product: str
    suffix: str = ""


def state_facts(*, onboarding: Onboarding, facts: Facts, actor: Actor, now: datetime) -> None:
    stated = asdict(facts) | {"ods_code": onboarding.organisation.ods_code}
    note(
        onboarding=onboarding,
        step=StepName.FACTS,
        state=RecordState.DONE,
        evidence=stated,
        actor=actor,
        now=now,
    )


def make_key(*, onboarding: Onboarding, actor: Actor, now: datetime, bits: int = SIGNING_BITS) -> SigningKey:
    """A new pair under the next key id; the one before is good until it is withdrawn. Raises StepRefused."""
    require_ready(onboarding=onboarding, step=StepName.KEY, now=now)
    return _keep_key(onboarding, new_signing_key(bits=bits), actor, now)


def bring_key(
    *, onboarding: Onboarding, pem: bytes, password: str, actor: Actor, now: datetime
) -> SigningKey:
    """A key that was made elsewhere. Raises StepRefused."""
    require_ready(onboarding=onboarding, step=StepName.KEY, now=now)
    try:
        key = read_key(pem, password=password, least_bits=SIGNING_BITS)
    except Unusable as fault:
        raise StepRefused(fault.sentence) from None
    return _keep_key(onboarding, key, actor, now)


@transaction.atomic
def _keep_key(onboarding: Onboarding, key: RSAPrivateKey, actor: Actor, now: datetime) -> SigningKey:
    """Locked, so that two who press at once get two numbers; the file is written before it is told of."""
    Onboarding.objects.select_for_update().get(pk=onboarding.pk)
    public = public_pem(key.public_key()).decode()
    if SigningKey.objects.filter(onboarding=onboarding, public_pem=public).exists():
        raise StepRefused("This key is kept here already. Bring another, or have one made.")
    key_id = _next_key_id(onboarding)
    vault = vault_of(onboarding)
    vault.keep(vault.signing_key(key_id), private_pem(key))
    vault.keep(vault.folder / f"{key_id}.public.pem", public.encode(), secret=False)
    made = SigningKey.objects.create(onboarding=onboarding, key_id=key_id, public_pem=public, made_at=now)
    note(
        onboarding=onboarding,
        step=StepName.KEY,
        state=RecordState.DONE,
        evidence={"key_id": key_id, "bits": key.key_size},
        actor=actor,
        now=now,
    )
    return made


def _next_key_id(onboarding: Onboarding) -> str:
    """<name>-<environment>-<rotation>, the rotation one higher than any before."""
    facts, word = evidence_of(onboarding, StepName.FACTS), environment(onboarding.environment).word
    name = "".join(each for each in str(facts["name"]) if each.isascii() and each.isalnum())
    number = SigningKey.objects.filter(onboarding=onboarding).count() + 1
    key_id = f"{name}-{word}-{number}"
    check_key_id(key_id)
    return key_id


def register_key(
    *,
    onboarding: Onboarding,
    app_name: str,
    actor: Actor,
    now: datetime,
    app_id: str = "",
    api_key: str = "",
) -> None:
    """At the simulator's desk it is done at once; elsewhere it waits for API Management. Raises StepRefused.

    There the simulator's developer portal also makes the application, when `app_id` is not given.
    """
    require_ready(onboarding=onboarding, step=StepName.REGISTRATION, now=now)
    place, vault, key = environment(onboarding.environment), vault_of(onboarding), current_key(onboarding)
    if key is None:
        raise StepRefused("First: make the key that signs.")
    state = RecordState.WAITING
    if place.is_simulated:
        app_id, api_key = _registered(onboarding, vault, key, app_name=app_name)
        state = RecordState.DONE
    if api_key:
        vault.keep(vault.api_key, f"{api_key}\n".encode())
    note(
        onboarding=onboarding,
        step=StepName.REGISTRATION,
        state=state,
        evidence={
            "app_id": app_id,
            "app_name": app_name,
            "key_id": key.key_id,
            "api": APIS.get(place.name, ""),
        },
        actor=actor,
        now=now,
    )


def _registered(onboarding: Onboarding, vault: Vault, key: SigningKey, *, app_name: str) -> tuple[str, str]:
    """App ID and API key. A second key goes to the application that there is."""
    place = environment(onboarding.environment)
    known = onboarding.records.filter(step=StepName.REGISTRATION.value).first()
    app_id, api_key = "", (vault.read(vault.api_key) or b"").decode().strip()
    if known is not None and api_key and known.evidence.get("app_name") == app_name:
        app_id = str(known.evidence.get("app_id", ""))
    try:
        if not app_id:
            made = outside.ask_desk(place, "applications", {"name": app_name})
            app_id, api_key = str(made["app_id"]), str(made["api_key"])
        mail = {
            "environment": ENVIRONMENT_WORDS[place.name],
            "app_id": app_id,
            "name": app_name,
            "kid": key.key_id,
            "public_key": key.public_pem,
            "apis": [APIS[place.name]],
        }
        outside.ask_desk(place, "keys", mail)
    except outside.OutsideRefused as refused:
        raise StepRefused(str(refused)) from None
    return app_id, api_key


def identity_of(onboarding: Onboarding) -> outside.Identity:
    """As whom the API is asked. Raises StepRefused when key or API key is missing."""
    place = environment(onboarding.environment)
    organisation = Party(onboarding.organisation.ods_code, onboarding.organisation.name)
    if not place.needs_token:
        return outside.Identity(place, "", "", "", organisation)
    vault, key = vault_of(onboarding), current_key(onboarding)
    api_key = (vault.read(vault.api_key) or b"").decode().strip()
    if key is None or not api_key:
        raise StepRefused("The API key or the private key is missing. Register the key again.")
    return outside.Identity(place, api_key, key.key_id, str(vault.signing_key(key.key_id)), organisation)


def try_token(*, onboarding: Onboarding, actor: Actor, now: datetime) -> None:
    """Raises StepRefused with what the refusal means, which is noted too."""
    require_ready(onboarding=onboarding, step=StepName.TOKEN, now=now)
    identity = identity_of(onboarding)
    try:
        outside.get_token(identity, now=now)
    except TokenRefused as refused:
        words = token_failure(refused.error, refused.description, refused.message_id)
        note(
            onboarding=onboarding,
            step=StepName.TOKEN,
            state=RecordState.BROKEN,
            words=words,
            actor=actor,
            now=now,
        )
        raise StepRefused(words) from None
    note(
        onboarding=onboarding,
        step=StepName.TOKEN,
        state=RecordState.DONE,
        evidence={"key_id": identity.key_id},
        actor=actor,
        now=now,
    )


def withdraw_old_keys(*, onboarding: Onboarding, actor: Actor, now: datetime) -> list[str]:
    """All but the newest, once that one has got a token: the key set holds it alone. Raises StepRefused."""
    newest = current_key(onboarding)
    if newest is None or evidence_of(onboarding, StepName.TOKEN).get("key_id") != newest.key_id:
        raise StepRefused("First: get a token with the new key.")
    old = list(SigningKey.objects.filter(onboarding=onboarding, withdrawn_at=None).exclude(pk=newest.pk))
    place = environment(onboarding.environment)
    if place.is_simulated:
        app_id = str(evidence_of(onboarding, StepName.REGISTRATION)["app_id"])
        try:
            for each in old:
                outside.ask_desk(place, "keys/withdraw", {"app_id": app_id, "kid": each.key_id})
        except outside.OutsideRefused as refused:
            raise StepRefused(str(refused)) from None
    with transaction.atomic():
        SigningKey.objects.filter(pk__in=[each.pk for each in old]).update(withdrawn_at=now)
        # Again, so that what rests on it sees what it saw.
        evidence = evidence_of(onboarding, StepName.KEY)
        note(
            onboarding=onboarding,
            step=StepName.KEY,
            state=RecordState.DONE,
            evidence=evidence,
            actor=actor,
            now=now,
        )
    return [each.key_id for each in old]


def use_connection(*, onboarding: Onboarding, service_id: str, actor: Actor, now: datetime) -> None:
    """The key that last got a token is what the organisation sends with from now on. Raises StepRefused.

    `service_id` is where replies go: a service of the organisation, or they would reach somebody else.
    """
    require_ready(onboarding=onboarding, step=StepName.CONNECTION, now=now)
    identity, vault = identity_of(onboarding), vault_of(onboarding)
    _require_own(onboarding.organisation, service_id)
    application = senders.Application(
        app_id=str(evidence_of(onboarding, StepName.REGISTRATION)["app_id"]),
        key_id=identity.key_id,
        private_key_file=vault.signing_key(identity.key_id),
        api_key_file=vault.api_key,
        service_id=service_id,
        software_instance=f"bars-portal-{onboarding.environment}-{service_id}",
    )
    with transaction.atomic():
        senders.connect(
            organisation=onboarding.organisation,
            environment=onboarding.environment,
            application=application,
            actor=actor,
            now=now,
        )
        note(
            onboarding=onboarding,
            step=StepName.CONNECTION,
            state=RecordState.DONE,
            evidence={
                "key_id": identity.key_id,
                "service_id": service_id,
                "software_instance": application.software_instance,
            },
            actor=actor,
            now=now,
        )


@transaction.atomic
def stop_sending(*, onboarding: Onboarding, actor: Actor, now: datetime) -> None:
    """Nothing is sent as the organisation any more, however the steps stand. Raises StepRefused."""
    if not senders.revoke(
        organisation=onboarding.organisation, environment=onboarding.environment, actor=actor, now=now
    ):
        raise StepRefused("This organisation does not send with a key of its own.")
    onboarding.records.filter(step=StepName.CONNECTION.value).update(
        state=RecordState.BROKEN.value,
        at=now,
        by=actor.label,
        words="It was switched off: nothing is sent as this organisation.",
    )


def connect_with_files(
    *, organisation: Organisation, name: str, application: senders.Application, actor: Actor, now: datetime
) -> None:
    """The same for who has key, key id and API key from elsewhere. Raises StepRefused, and KeyError."""
    place = environment(name)
    try:
        check_key_id(application.key_id)
        read_key(application.private_key_file.read_bytes(), least_bits=SIGNING_BITS)
        application.api_key_file.read_bytes()
    except InvalidKeyId as fault:
        raise StepRefused(f"The key id: {fault}.") from None
    except Unusable as fault:
        raise StepRefused(fault.sentence) from None
    except OSError:
        raise StepRefused("The file of the key or of the API key cannot be read.") from None
    _require_own(organisation, application.service_id)
    senders.connect(
        organisation=organisation, environment=place.name, application=application, actor=actor, now=now
    )


def _require_own(organisation: Organisation, service_id: str) -> None:
    """Raises StepRefused for a reply address that is not the organisation's."""
    own = HealthcareService.objects.filter(provider=organisation, hosted=True, active=True)
    if not own.filter(service_id=service_id).exists():
        raise StepRefused(
            f"{service_id} is no active service of {organisation.name} that is hosted here. "
            "Add it in the administration first, or enter another."
        )
