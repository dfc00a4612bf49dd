"""What we send with: the signing key, its registration, the token server's clock, the stored token."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from django.conf import settings

from bars_portal.accounts.models import Organisation
from bars_portal.accounts.permissions import Role
from bars_portal.credentials.intake import Unusable, read_key
from bars_portal.credentials.keys import InvalidKeyId, check_key_id
from bars_portal.exchange.gateway.senders import connections, has_shared, installation, may_share, sender_by
from bars_portal.exchange.gateway.tokens import forget_unreadable_token, stored_token_is_readable, try_key
from bars_portal.exchange.models import OrganisationConnection
from bars_portal.exchange.transport.auth import NoCredentials, TokenRefused
from bars_portal.status.doctor.examination import (
    Examination,
    Finding,
    Verdict,
    Visit,
    fine,
    skipped,
    warning,
    wrong,
)
from bars_portal.status.watched import read_file
from directory.models import HealthcareService

_ASKED_BITS, _LEAST_BITS = 4096, 2048
# From here on assertions are refused, were they not dated by the server's own clock.
_CLOCK_WARNING, _CLOCK_WRONG = timedelta(seconds=30), timedelta(minutes=4)


def _key_of(prefix: str) -> RSAPrivateKey:
    """Raises OSError and Unusable."""
    return read_key(read_file(settings.BARS[f"{prefix}PRIVATE_KEY_FILE"]), least_bits=_LEAST_BITS)


def _needs_none(visit: Visit) -> Finding | None:
    """What is to be said where the installation itself needs no key."""
    if not visit.environment.needs_token:
        return skipped(f"{visit.environment.title} needs no token.")
    return None if has_shared() else fine("The installation has no key: organisations have their own.")


def _signing_key(visit: Visit) -> Finding:
    if said := _needs_none(visit):
        return said
    try:
        bits = _key_of("").key_size
    except OSError:
        return wrong("The file of BARS_PRIVATE_KEY_FILE cannot be read.")
    except Unusable as fault:
        return wrong(f"BARS_PRIVATE_KEY_FILE: {fault.sentence}")
    if bits < _ASKED_BITS:
        return warning(f"The key has {bits} bits; the guide asks for {_ASKED_BITS}.")
    return fine(f"An RSA key of {bits} bits.")


def _key_id(visit: Visit) -> Finding:
    if said := _needs_none(visit):
        return said
    key_id = settings.BARS["KEY_ID"]
    problem = _why_odd_key_id(key_id, visit)
    return warning(f"BARS_KEY_ID{problem}") if problem else fine(f"{key_id}.")


def _why_odd_key_id(key_id: str, visit: Visit) -> str:
    """What follows its name in a sentence; "" when it is as it should be."""
    try:
        check_key_id(key_id)
    except InvalidKeyId as fault:
        return f": {fault}."
    word = visit.environment.word
    return "" if key_id.split("-")[-2].upper() == word else f" names another environment than {word}."


def _token_clock(visit: Visit) -> Finding:
    ahead = visit.trial.server_ahead
    seconds = round(abs(ahead).total_seconds())
    if abs(ahead) <= _CLOCK_WARNING:
        return fine("It agrees with ours within 30 seconds.")
    words = f"Ours is {seconds} s {'behind' if ahead > timedelta() else 'ahead of'} the token server's."
    return wrong(words) if abs(ahead) >= _CLOCK_WRONG else warning(words)


# What the endpoint's own words are about, in the order in which they are looked for; and what to do.
_REFUSALS = (
    ("no-answer", "The token server did not answer.", "Look at the network, the firewall and DNS."),
    (
        "register a public key",
        "No public key is registered under BARS_KEY_ID.",
        "Send the public key with its key id to API Management, and wait for their answer; or correct "
        "BARS_KEY_ID.",
    ),
    (
        "signature",
        "The key that is registered under BARS_KEY_ID is another one.",
        "Set BARS_PRIVATE_KEY_FILE to the key that was registered, or register this one under a new key id.",
    ),
    (
        "'iss'",
        "The application is not known there.",
        "Set BARS_API_KEY to the API key of the application in this very environment.",
    ),
    ("'exp'", "The assertion's time was refused.", "Look at the time service of this machine."),
    ("'aud'", "The address of the token server was refused.", "Look whether BARS_ENVIRONMENT is right."),
)


def refusal_in_words(refused: TokenRefused) -> tuple[str, str]:
    """What a token endpoint's refusal means, and what to do about it ("" where nobody can tell)."""
    said = f"{refused.error} {refused.description}"
    for mark, words, todo in _REFUSALS:
        if mark in said:
            return words, todo
    told = ": ".join(each for each in (refused.error, refused.description) if each)
    return f"No token was given ({told}).", ""


def _registration(visit: Visit) -> Finding:
    if said := _needs_none(visit):
        return said
    refused = visit.trial.refused
    if refused is None:
        return fine(f"A token was given for {settings.BARS['KEY_ID']}.")
    return wrong(*refusal_in_words(refused))


def _next_key(visit: Visit) -> Finding:
    bars = settings.BARS
    if not bars["NEXT_KEY_ID"] and not bars["NEXT_PRIVATE_KEY_FILE"]:
        return fine("No key is being rotated.")
    try:
        _key_of("NEXT_")
    except (OSError, Unusable):
        return wrong("The file of BARS_NEXT_PRIVATE_KEY_FILE is no RSA key that can be read.")
    refused = try_key(installation(), now=visit.now, following=True).refused
    if refused is not None:
        words, _ = refusal_in_words(refused)
        return warning(
            f"{words.replace('BARS_KEY_ID', 'BARS_NEXT_KEY_ID')} Until then the present key is used.",
            "Send the next public key to API Management, and look again.",
        )
    return warning(
        f"{bars['NEXT_KEY_ID']} is registered and used.",
        "Move it to BARS_KEY_ID and BARS_PRIVATE_KEY_FILE, unset the next ones, have the old one withdrawn.",
    )


def _stored_token(_visit: Visit) -> Finding:
    if stored_token_is_readable():
        return fine("It can be read, or there is none.")
    return warning("It was stored under another DJANGO_SECRET_KEY, and is as good as lost.")


def _forget_token(_visit: Visit) -> str:
    forget_unreadable_token()
    return "It was forgotten; the next call asks for a new one."


# -- organisations that send with an application of their own


def _connections(visit: Visit) -> Iterator[Finding]:
    """Files, ids and reply address of each; and who has people here and nothing to send with."""
    found = connections()
    told = [
        Finding(verdict, f"{row.organisation}: {words}")
        for row in found
        for verdict, words in _ills(row, visit)
    ]
    told += [
        warning(f"{each} has people here, and nothing to send with.", _CONNECT)
        for each in _unconnected(visit, {row.organisation_id for row in found})
    ]
    if not found and visit.environment.needs_token and not has_shared():
        told.append(wrong("Neither the installation nor any organisation has a key to send with.", _CONNECT))
    yield from told
    if not told:
        yield fine(
            f"{len(found)} organisations send with keys of their own."
            if found
            else "No organisation has its own."
        )


def _ills(row: OrganisationConnection, visit: Visit) -> Iterator[tuple[Verdict, str]]:
    key_file = Path(row.private_key_file)
    try:
        bits = read_key(read_file(row.private_key_file), least_bits=_LEAST_BITS).key_size
    except OSError:
        yield Verdict.WRONG, f"the file of its key {row.key_id} cannot be read."
    except Unusable as fault:
        yield Verdict.WRONG, f"its key {row.key_id}: {fault.sentence}"
    else:
        if bits < _ASKED_BITS:
            yield Verdict.WARNING, f"its key has {bits} bits; the guide asks for {_ASKED_BITS}."
        if key_file.stat().st_mode & 0o077:
            yield Verdict.WARNING, f"others on this machine may read the file of its key {row.key_id}."
    try:
        sender_by(row)
    except NoCredentials:
        yield Verdict.WRONG, "the file of its API key cannot be read."
    if problem := _why_odd_key_id(row.key_id, visit):
        yield Verdict.WARNING, f"its key id{problem}"
    own = HealthcareService.objects.filter(provider=row.organisation, hosted=True, active=True)
    if not own.filter(service_id=row.service_id).exists():
        yield (
            Verdict.WRONG,
            f"replies go to {row.service_id}, which is no active service of it that is hosted here.",
        )


def _unconnected(visit: Visit, connected: set[int]) -> list[Organisation]:
    """Also those that were switched off. Where credentials are shared, nobody is left out."""
    if not visit.environment.needs_token or settings.BARS_SHARED_CREDENTIALS:
        return []
    people = Organisation.objects.filter(memberships__role__in=(Role.CLINICIAN, Role.CLERK)).distinct()
    return [each for each in people if each.pk not in connected and not may_share(each.ods_code)]


def _connection_tokens(visit: Visit) -> Iterator[Finding]:
    """Each key by itself, past the stored tokens: one that is not registered stops one organisation."""
    if not visit.environment.needs_token:
        yield skipped(f"{visit.environment.title} needs no token.")
        return
    found = connections()
    told = [fault for row in found[:_MOST_ASKED] if (fault := _token_fault(row, visit)) is not None]
    yield from told
    if not told:
        more = f"the first {_MOST_ASKED}" if len(found) > _MOST_ASKED else "every one"
        yield fine(f"A token was given to {more} of them." if found else "No organisation has its own.")


def _token_fault(row: OrganisationConnection, visit: Visit) -> Finding | None:
    try:
        refused = try_key(sender_by(row), now=visit.now).refused
    except NoCredentials:
        # The examination of the files says it.
        return None
    if refused is None:
        return None
    words, todo = (each.replace("BARS_KEY_ID", row.key_id) for each in refusal_in_words(refused))
    for variable, its in (("BARS_PRIVATE_KEY_FILE", "its key"), ("BARS_API_KEY", "its API key")):
        todo = todo.replace(variable, its)
    return wrong(f"{row.organisation}: {words}", todo)


_MOST_ASKED = 20
_CONNECT = "Lead it through the onboarding, to the step that it sends as itself."
_README = "README.md, the table of environment variables"
_ROTATION = "docs/how-to/examine-an-installation.md, rotating keys"


def _examinations() -> Iterator[Examination]:
    yield Examination(
        "signing-key",
        "Key that signs for tokens",
        _signing_key,
        "Make an RSA key of 4096 bits, register its public half, and set BARS_PRIVATE_KEY_FILE.",
        _README,
        needs=("identity",),
    )
    yield Examination(
        "key-id",
        "Key id",
        _key_id,
        "Set BARS_KEY_ID as it was registered here: <Supplier or Provider>-<Environment>-<number>.",
        _README,
        needs=("identity",),
    )
    yield Examination(
        "token-clock",
        "Clock of the token server",
        _token_clock,
        "Look at the time service of this machine.",
        "docs/how-to/watch-the-portal.md",
        needs=("signing-key",),
        asks_outside=True,
    )
    yield Examination(
        "registration",
        "Registration of the key",
        _registration,
        "Ask API Management, with the application, the key id and the time.",
        _ROTATION,
        needs=("signing-key", "token-clock"),
        asks_outside=True,
    )
    yield Examination(
        "next-key",
        "Rotation of the key",
        _next_key,
        "Set BARS_NEXT_PRIVATE_KEY_FILE and BARS_NEXT_KEY_ID to the next key, or neither.",
        _ROTATION,
        needs=("identity",),
        asks_outside=True,
    )
    yield Examination(
        "connections",
        "Organisations that send as themselves",
        _connections,
        "Take the steps of its onboarding again from the key on, as an engineer of that organisation.",
        _ROTATION,
        needs=("migrations", "identity"),
    )
    yield Examination(
        "connection-tokens",
        "Registration of their keys",
        _connection_tokens,
        "Ask API Management, with the application, the key id and the time.",
        _ROTATION,
        needs=("connections",),
        asks_outside=True,
    )
    yield Examination(
        "stored-token",
        "Stored token",
        _stored_token,
        "Nothing: it is renewed. Or run with --fix.",
        _README,
        needs=("migrations",),
        fix=_forget_token,
    )


SENDER = tuple(_examinations())
