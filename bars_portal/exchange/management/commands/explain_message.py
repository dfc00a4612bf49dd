"""A message judged rule by rule: one in a file, or one of the log, which may be tried again in a dry run."""

import getpass
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from bars_portal.accounts.models import Organisation
from bars_portal.audit.actor import Actor
from bars_portal.audit.services import record
from bars_portal.exchange.explaining.explain import Letter
from bars_portal.exchange.explaining.pasted import explain_pasted, read_headers
from bars_portal.exchange.explaining.presenters import as_text
from bars_portal.exchange.explaining.stored import (
    answered_now,
    answered_then,
    attempts_of,
    changes,
    explain_received,
    explain_sent,
    is_unread,
    replay,
)
from bars_portal.exchange.models import InboundMessage, OutboundMessage
from bars_portal.exchange.registry import owner_of, services


class Command(BaseCommand):
    help = "Explain a message rule by rule. Patient values are masked, and nothing of a file is kept."

    def add_arguments(self, parser: CommandParser) -> None:
        what = parser.add_mutually_exclusive_group(required=True)
        what.add_argument("file", nargs="?", type=Path, help="the body of a message, JSON or XML")
        what.add_argument("--id", type=UUID, help="the id of a message of the log")
        parser.add_argument("--headers", type=Path, help="the headers of the file's message, one a line")
        parser.add_argument("--organisation", default="", help="ODS code: whose services a file is judged by")
        parser.add_argument("--dry-run", action="store_true", help="with --id: try it again, keep nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        lines = self._of_log(options) if options["id"] else self._of_file(options)
        for line in lines:
            self.stdout.write(line)

    def _of_file(self, options: dict[str, Any]) -> Iterator[str]:
        try:
            headers = read_headers(options["headers"].read_text()) if options["headers"] else {}
            letter = Letter(options["file"].read_bytes(), headers)
        except (OSError, ValueError) as fault:
            raise CommandError(str(fault)) from None
        yield from as_text(explain_pasted(letter, own=_own_services(options["organisation"])))

    def _of_log(self, options: dict[str, Any]) -> Iterator[str]:
        received = InboundMessage.objects.filter(pk=options["id"]).first()
        if received is not None:
            _note("exchange.replay_message" if options["dry_run"] else "exchange.explain_message", received)
            yield from _received(received, dry_run=options["dry_run"])
            return
        sent = OutboundMessage.objects.filter(pk=options["id"]).first()
        if sent is None or options["dry_run"]:
            raise CommandError("No message with this id was received." if options["dry_run"] else _NOT_THERE)
        _note("exchange.explain_message", sent)
        explanation = explain_sent(sent)
        yield from as_text(explanation)
        for each in attempts_of(sent, explanation):
            yield f"Attempt {each.number}: {each.status}. {each.words} ({each.reason})"
            if each.differs:
                yield f"  Today we would take it for {each.differs}"


_NOT_THERE = "No message has this id."


def _received(message: InboundMessage, *, dry_run: bool) -> Iterator[str]:
    if is_unread(message):
        yield "Its body was not kept, so there is only the answer that it got:"
        yield from answered_then(message).refusals
        return
    if dry_run:
        replayed = replay(message)
        yield from as_text(replayed.explanation, replayed.changes)
        return
    explanation = explain_received(message)
    yield from as_text(explanation, changes(answered_then(message), answered_now(explanation)))


def _own_services(ods_code: str) -> list[str]:
    organisation = Organisation.objects.filter(ods_code=ods_code).first() if ods_code else None
    if ods_code and organisation is None:
        raise CommandError("No organisation has this ODS code.")
    return list(services.provider.provided_by(organisation.pk)) if organisation else []


def _note(action: str, message: InboundMessage | OutboundMessage) -> None:
    """On the trail of the organisation that the message belongs to."""
    owner = owner_of(message.service_id) if isinstance(message, InboundMessage) else message.organisation_id
    actor = Actor(f"{getpass.getuser()} (command line)", organisation_id=owner)
    record(actor=actor, action=action, subject=message, now=timezone.now())
