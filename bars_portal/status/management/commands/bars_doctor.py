"""Look at all that this installation rests on."""

import json
import sys
from dataclasses import asdict
from typing import IO, Any, cast

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from bars_portal.status.doctor import EXAMINATIONS
from bars_portal.status.doctor.examination import Line, UnknownExamination, Verdict, Visit, examine

_COLOURS = {Verdict.FINE: "green", Verdict.WARNING: "yellow", Verdict.WRONG: "red", Verdict.SKIPPED: "dim"}


class Command(BaseCommand):
    help = (
        "Look at Python, packages, settings, database, worker, keys, certificates, receiver, catalogue and "
        "partners, and say of each what to do. Exit code 0: nothing is wrong, 1: something is."
    )
    # They are one of the examinations.
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        option = parser.add_argument
        option("--json", action="store_true", help="for machines: {'wrong': ..., 'lines': [...]}")
        option("--only", action="append", default=[], metavar="NAME", help="only this; repeatable")
        option("--fix", action="store_true", help="put right what is safe: file modes, folders, a lost token")
        option("--inside", action="store_true", help="ask no token server, catalogue or receiver")
        option("--list", action="store_true", help="list the examinations and do nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["list"]:
            for each in EXAMINATIONS:
                self.stdout.write(f"{each.name}: {each.title}")
            return
        visit = Visit(now=timezone.now(), lock_file=settings.LOCK_FILE)
        try:
            lines = examine(
                EXAMINATIONS, visit, only=options["only"], outside=not options["inside"], fix=options["fix"]
            )
        except UnknownExamination as unknown:
            raise CommandError(f"There is no examination {unknown}: see --list.", returncode=2) from None
        is_wrong = any(line.verdict is Verdict.WRONG for line in lines)
        if options["json"]:
            told = {"wrong": is_wrong, "lines": [asdict(line) for line in lines]}
            self.stdout.write(json.dumps(told, indent=2))
        else:
            self._print(lines)
        if is_wrong:
            sys.exit(1)

    def _print(self, lines: list[Line]) -> None:
        table = Table(show_lines=False, box=None, pad_edge=False)
        for name in ("", "What", "How it is"):
            table.add_column(name, overflow="fold")
        for line in lines:
            colour = _COLOURS[line.verdict]
            words = [
                escape(line.fact),
                *([f"[bold]Do:[/bold] {escape(line.todo)}"] if line.todo else []),
                *([f"[dim]See {escape(line.where)}[/dim]"] if line.where else []),
                *([f"[bold]Done:[/bold] {escape(line.fixed)}"] if line.fixed else []),
            ]
            mark = f"[{colour}]{line.verdict}[/{colour}]"
            table.add_row(mark, f"{escape(line.title)}\n[dim]{line.name}[/dim]", "\n".join(words))
        console = Console(file=cast(IO[str], self.stdout), highlight=False)
        console.print(table)
        counted = {verdict: sum(line.verdict is verdict for line in lines) for verdict in Verdict}
        console.print(", ".join(f"{count} {verdict}" for verdict, count in counted.items() if count))
