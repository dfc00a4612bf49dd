"""Remove audit events whose time is over, so that the chain over the others can still be verified."""

import getpass
from datetime import date
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import ProgrammingError
from django.utils import timezone

from bars_portal.audit.actor import Actor
from bars_portal.audit.chain.pruning import Plan, PruningRefused, plan_pruning, prune


class Command(BaseCommand):
    help = (
        "Remove events that retention (AUDIT_RETENTION_DAYS) no longer keeps. What stands for them is signed "
        "and says how many of which days went. For the owner of the tables."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--before",
            type=date.fromisoformat,
            required=True,
            metavar="YYYY-MM-DD",
            help="the first day that stays",
        )
        parser.add_argument("--dry-run", action="store_true", help="say what would go, remove nothing")
        parser.add_argument(
            "--by", default="", help="who answers for this (default: the login of this machine)"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        now = timezone.now()
        try:
            if options["dry_run"]:
                self._show(plan_pruning(before=options["before"], now=now))
                self.stdout.write("Nothing removed (dry run).")
                return
            actor = Actor(label=options["by"] or f"{getpass.getuser()} (command line)")
            self._show(prune(before=options["before"], actor=actor, now=now))
        except (PruningRefused, ImproperlyConfigured) as refusal:
            raise CommandError(str(refusal)) from None
        except ProgrammingError as refusal:
            raise CommandError(
                f"The database refused, this is for the owner of the tables: {refusal}"
            ) from None

    def _show(self, plan: Plan) -> None:
        for day, events in plan.days.items():
            self.stdout.write(f"{day}: {events} events")
        seals = f"seals up to {plan.until}" if plan.until else "no seal"
        self.stdout.write(f"{plan.events} events of {len(plan.days)} days, {seals}.")
