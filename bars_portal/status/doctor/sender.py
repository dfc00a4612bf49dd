"""What we send with: the signing key, its registration, the token server's clock, the stored token."""

from collections.abc import Iterator
from datetime import timedelta

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from django.conf import settings

from bars_portal.credentials.faults import Unusable
from bars_portal.credentials.intake import read_key
from bars_portal.credentials.keys import InvalidKeyId, check_key_id
from bars_portal.exchange.tokens import forget_unreadable_token, stored_token_is_readable, try_key
from bars_portal.exchange.transport.auth import TokenRefused
from bars_portal.status.doctor.examination import (
    Examination,
    Finding,
    Visit,
    fine,
    skipped,
    warning,
    wrong,
)
from bars_portal.status.watched import read_file

_ASKED_BITS, _LEAST_BITS = 4096, 2048
# From here on assertions are refused, were they not dated by the server's own clock.
_CLOCK_WARNING, _CLOCK_WRONG = timedelta(seconds=30), timedelta(minutes=4)


def _key_of(prefix: str) -> RSAPrivateKey:
    """Raises OSError and Unusable."""
    return read_key(read_file(settings.BARS[f"{prefix}PRIVATE_KEY_FILE"]), least_bits=_LEAST_BITS)


def _signing_key(visit: Visit) -> Finding:
    if not visit.environment.needs_token:
        return skipped(f"{visit.environment.title} needs no token.")
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
    if not visit.environment.needs_token:
        return skipped(f"{visit.environment.title} needs no token.")
    key_id, word = settings.BARS["KEY_ID"], visit.environment.word
    try:
        check_key_id(key_id)
    except InvalidKeyId as fault:
        return warning(f"BARS_KEY_ID: {fault}.")
    if key_id.split("-")[-2].upper() != word:
        return warning(f"BARS_KEY_ID names another environment than {word}.")
    return fine(f"{key_id}.")


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
    if not visit.environment.needs_token:
        return skipped(f"{visit.environment.title} needs no token.")
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
    refused = try_key(now=visit.now, following=True).refused
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
        "stored-token",
        "Stored token",
        _stored_token,
        "Nothing: it is renewed. Or run with --fix.",
        _README,
        needs=("migrations",),
        fix=_forget_token,
    )


SENDER = tuple(_examinations())
