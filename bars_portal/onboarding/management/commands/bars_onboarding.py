"""The onboarding desk as commands: the same steps, by the same services."""

import json
import sys
from pathlib import Path
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from bars_portal.accounts.models import Organisation
from bars_portal.audit.actor import Actor
from bars_portal.credentials.environments import ENVIRONMENTS
from bars_portal.nhsuk.forms import PasswordField
from bars_portal.onboarding.acts import BY_NAME, Act, Deed, carry_out, suggestions
from bars_portal.onboarding.forms import Pasted, UploadField
from bars_portal.onboarding.presenters import row_of
from bars_portal.onboarding.selectors import standings_of
from bars_portal.onboarding.services.recording import begin
from bars_portal.onboarding.steps import StepName

_HELP = (
    "Take a step of the onboarding of an organisation, or show how all stand. Values are given as"
    " NAME=VALUE, or NAME=@FILE for the content of a file (@- reads standard input); secrets are "
    "taken from files only. Exit code 0: done, 1: refused, with the reason."
)

_PLACES = [each.name for each in ENVIRONMENTS.values() if each.has_desks]


class Command(BaseCommand):
    help = _HELP

    def add_arguments(self, parser: CommandParser) -> None:
        steps = [each.value for each in StepName]
        parser.add_argument("step", nargs="?", choices=steps, help="show all when not given")
        parser.add_argument("values", nargs="*", metavar="NAME=VALUE", help="what the step asks for")
        parser.add_argument("--act", default="", help="confirm, ask or withdraw, instead of the step itself")
        parser.add_argument("--organisation", required=True, metavar="ODS", help="its ODS code")
        parser.add_argument("--environment", default="simulated-int", choices=_PLACES)
        parser.add_argument("--json", action="store_true", help="the steps as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        organisation = Organisation.objects.filter(ods_code=options["organisation"]).first()
        if organisation is None:
            raise CommandError("There is no organisation with that ODS code.")
        refused = ""
        if options["step"]:
            refused = self._take(organisation, options)
        self._show(organisation, options, refused)
        if refused:
            sys.exit(1)

    def _take(self, organisation: Organisation, options: dict[str, Any]) -> str:
        """Why it was not done; "" when it was."""
        act = BY_NAME.get((StepName(options["step"]), options["act"]))
        if act is None:
            raise CommandError("That step has no such act.")
        place, now = ENVIRONMENTS[options["environment"]], timezone.now()
        onboarding = begin(organisation=organisation, name=place.name, now=now)
        suggested = suggestions(onboarding, act.step, place)
        given = self._given(act, options)
        files = {name: value for name, value in given.items() if isinstance(value, SimpleUploadedFile)}
        form = act.form(place)({**suggested, **given}, files)
        if not form.is_valid():
            return "; ".join(f"{item.text}" for item in form.summary())
        actor = Actor(label="bars_onboarding", organisation_id=organisation.pk)
        return carry_out(act, Deed(onboarding, form, actor, now, clock=timezone.now))

    def _given(self, act: Act, options: dict[str, Any]) -> dict[str, Any]:
        fields = act.form(ENVIRONMENTS[options["environment"]])().fields
        given: dict[str, Any] = {}
        for each in options["values"]:
            name, sign, value = each.partition("=")
            if not sign or name not in fields:
                raise CommandError(f"This step asks for: {', '.join(fields) or 'nothing'}.")
            field, is_file = fields[name], value.startswith("@")
            if isinstance(field, PasswordField | Pasted | UploadField) and not is_file:
                raise CommandError(
                    f"{name} is taken from a file only: {name}=@FILE, so that no list of processes shows it."
                )
            content = self._content(value[1:]) if is_file else value.encode()
            given[name] = (
                SimpleUploadedFile(name, content)
                if isinstance(field, UploadField)
                else content.decode(errors="replace").rstrip("\n")
            )
        return given

    def _content(self, file: str) -> bytes:
        try:
            return sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
        except OSError:
            raise CommandError("The file cannot be read.") from None

    def _show(self, organisation: Organisation, options: dict[str, Any], refused: str) -> None:
        now = timezone.now()
        found = standings_of(organisation, options["environment"], now=now)
        if options["json"]:
            steps = [
                {
                    "step": each.step.name.value,
                    "state": each.state.value,
                    "since": each.noted.at.isoformat() if each.noted else None,
                    "expires_at": each.noted.expires_at.isoformat()
                    if each.noted and each.noted.expires_at
                    else None,
                    "reopened": each.reopened,
                    "evidence": dict(each.evidence),
                }
                for each in found.values()
            ]
            told = {"environment": options["environment"], "refused": refused, "steps": steps}
            self.stdout.write(json.dumps(told, indent=2, default=str))
            return
        for each in found.values():
            row = row_of(each, now)
            self.stdout.write(f"{row.name:14} {row.said}{' - ' + row.note if row.note else ''}")
        if refused:
            self.stderr.write(refused)
