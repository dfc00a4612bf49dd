"""As whom an organisation sends: its own application, key, reply address and software instance.

Nothing of one organisation's serves another. Who has no connection of their own sends as the environment
variables say, where they are that organisation's or settings share them; who was revoked does not send.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime
from hashlib import sha256
from pathlib import Path

from django.conf import settings
from django.db import transaction
from django.db.models import OuterRef, Subquery

from bars_portal.accounts.models import Organisation
from bars_portal.accounts.permissions import PolicyRefused
from bars_portal.audit.actor import Actor
from bars_portal.audit.services import record
from bars_portal.credentials.environments import ENVIRONMENTS
from bars_portal.exchange.models import AccessToken, OrganisationConnection
from bars_portal.exchange.transport.auth import NoCredentials
from bars_portal.exchange.transport.headers import Software

# An API key is a few dozen characters.
_MOST_BYTES = 1_000


@dataclass(frozen=True)
class Sender:
    """What an organisation sends with. `holder` tells its tokens from those of every other application."""

    environment: str
    key_id: str
    private_key_file: str
    api_key: str = field(repr=False)
    service_id: str
    software: Software
    holder: str = ""
    # While the key of the environment variables is rotated.
    next_key_id: str = ""
    next_private_key_file: str = ""


def installation() -> Sender:
    """Whom the environment variables describe."""
    bars = settings.BARS
    return Sender(
        environment=bars["ENVIRONMENT"],
        key_id=bars["KEY_ID"],
        private_key_file=bars["PRIVATE_KEY_FILE"],
        api_key=bars["API_KEY"],
        service_id=bars.get("SERVICE_ID", ""),
        software=own_software(),
        next_key_id=bars.get("NEXT_KEY_ID", ""),
        next_private_key_file=bars.get("NEXT_PRIVATE_KEY_FILE", ""),
    )


def own_software() -> Software:
    """This product, as the installation's own instance."""
    bars = settings.BARS
    return Software(bars["SOFTWARE_IDENTIFIER"], bars["SOFTWARE_NAME"], bars["SOFTWARE_VERSION"])


def sender_of(ods_code: str) -> Sender:
    """Reads the organisation's connection and its API key's file.

    Raises NoCredentials: "not-connected", "revoked", or "unusable-api-key".
    """
    row = connection_of(ods_code)
    if row is not None:
        return sender_by(row)
    if ENVIRONMENTS[settings.BARS["ENVIRONMENT"]].needs_token and not (may_share(ods_code) and has_shared()):
        raise NoCredentials("not-connected")
    return installation()


def sender_by(row: OrganisationConnection) -> Sender:
    """Raises NoCredentials."""
    if row.revoked_at is not None:
        raise NoCredentials("revoked")
    api_key = _api_key(row.api_key_file)
    return Sender(
        environment=row.environment,
        key_id=row.key_id,
        private_key_file=row.private_key_file,
        api_key=api_key,
        service_id=row.service_id,
        software=_instance(row),
        # Another application has other tokens, although the key's name may stay. Of its API key a digest.
        holder=f"{row.pk}:{sha256(api_key.encode()).hexdigest()[:40]}",
    )


def may_share(ods_code: str) -> bool:
    """Whether an organisation without a connection sends as the environment variables say."""
    return bool(settings.BARS_SHARED_CREDENTIALS) or ods_code == settings.BARS["ODS_CODE"]


def has_shared() -> bool:
    """Whether the environment variables name an application at all."""
    return any(settings.BARS[name] for name in ("API_KEY", "KEY_ID", "PRIVATE_KEY_FILE"))


def require_sender(ods_code: str) -> Sender:
    """The same before anything is written. Raises PolicyRefused with what to do instead."""
    try:
        return sender_of(ods_code)
    except NoCredentials as missing:
        raise PolicyRefused(_WORDS[missing.error]) from None


def software_of(ods_code: str) -> Software:
    """What an organisation's requests say of the software, whether or not it can send."""
    row = connection_of(ods_code)
    return own_software() if row is None else _instance(row)


def software_sent(organisation_id: int, *, ods_code: str) -> Software:
    """The same for a message, in one query. Raises ValueError when the ODS code is another organisation's."""
    own = OrganisationConnection.objects.filter(
        organisation=OuterRef("pk"), environment=settings.BARS["ENVIRONMENT"]
    )
    rows = Organisation.objects.filter(pk=organisation_id, ods_code=ods_code)
    found = rows.values_list(Subquery(own.values("software_instance"))).first()
    if found is None:
        raise ValueError("Nobody sends in the name of another organisation.")
    return replace(own_software(), identifier=found[0]) if found[0] else own_software()


def reply_address_of(ods_code: str) -> str:
    """The service id that replies to an organisation's messages go to."""
    row = connection_of(ods_code)
    return settings.BARS["SERVICE_ID"] if row is None else row.service_id


def _instance(row: OrganisationConnection) -> Software:
    return replace(own_software(), identifier=row.software_instance)


_ASK = "Nothing was sent. Ask your integration engineer, and book or refer by telephone meanwhile."
_WORDS = {
    "not-connected": f"Your organisation is not connected to the booking and referral network yet. {_ASK}",
    "revoked": f"The connection of your organisation was switched off. {_ASK}",
    "unusable-api-key": f"The connection of your organisation is not working. {_ASK}",
}


def connection_of(ods_code: str) -> OrganisationConnection | None:
    """In the environment of this installation; a revoked one too."""
    rows = OrganisationConnection.objects.filter(environment=settings.BARS["ENVIRONMENT"])
    return rows.filter(organisation__ods_code=ods_code).select_related("organisation").first()


def is_connected(organisation: Organisation, environment: str) -> bool:
    """Whether it sends with an application of its own there."""
    rows = OrganisationConnection.objects.filter(organisation=organisation, environment=environment)
    return rows.filter(revoked_at=None).exists()


def connections() -> list[OrganisationConnection]:
    """Those in use in the environment of this installation, by ODS code."""
    rows = OrganisationConnection.objects.filter(environment=settings.BARS["ENVIRONMENT"], revoked_at=None)
    return list(rows.select_related("organisation").order_by("organisation__ods_code"))


def _api_key(file: str) -> str:
    try:
        with Path(file).open("rb") as stream:
            api_key = stream.read(_MOST_BYTES).decode("ascii").strip()
    except (OSError, UnicodeDecodeError):
        # Not chained: the cause names the path.
        raise NoCredentials("unusable-api-key") from None
    if not api_key:
        raise NoCredentials("unusable-api-key")
    return api_key


# -- writing


@dataclass(frozen=True)
class Application:
    """What an organisation is to send with: ids, and the files that hold what is secret."""

    app_id: str
    key_id: str
    private_key_file: Path
    api_key_file: Path
    service_id: str
    software_instance: str


@transaction.atomic
def connect(
    *, organisation: Organisation, environment: str, application: Application, actor: Actor, now: datetime
) -> OrganisationConnection:
    """From now on it sends with this, instead of what it sent with before. Also takes a revocation back."""
    row, made = OrganisationConnection.objects.update_or_create(
        organisation=organisation,
        environment=environment,
        defaults={
            "app_id": application.app_id,
            "key_id": application.key_id,
            "private_key_file": str(application.private_key_file),
            "api_key_file": str(application.api_key_file),
            "service_id": application.service_id,
            "software_instance": application.software_instance,
            "connected_at": now,
            "revoked_at": None,
        },
    )
    # What was given for another key, or to another application, is not used on.
    _forget_tokens(row)
    record(
        actor=actor,
        action="exchange.connect_organisation",
        subject=row,
        outcome="made" if made else "changed",
        detail={"environment": environment, "key_id": application.key_id, "ods_code": organisation.ods_code},
        now=now,
    )
    return row


@transaction.atomic
def revoke(*, organisation: Organisation, environment: str, actor: Actor, now: datetime) -> bool:
    """It sends nothing more, and its tokens are forgotten. False when it did not send by a connection."""
    rows = OrganisationConnection.objects.filter(organisation=organisation, environment=environment)
    row = rows.filter(revoked_at=None).select_for_update().first()
    if row is None:
        return False
    rows.update(revoked_at=now)
    _forget_tokens(row)
    record(
        actor=actor,
        action="exchange.revoke_connection",
        subject=row,
        outcome="done",
        detail={"environment": environment, "key_id": row.key_id, "ods_code": organisation.ods_code},
        now=now,
    )
    return True


def _forget_tokens(row: OrganisationConnection) -> None:
    AccessToken.objects.filter(environment=row.environment, holder__startswith=f"{row.pk}:").delete()
