"""As whom an organisation sends: shown, set from files that were made elsewhere, or switched off."""

import json
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from bars_portal.accounts.models import Organisation
from bars_portal.audit.actor import Actor
from bars_portal.exchange.gateway.senders import Application, connection_of, revoke
from bars_portal.onboarding.services.recording import StepRefused
from bars_portal.onboarding.services.sending import connect_with_files

_HELP = (
    "Show as whom an organisation sends in the environment of this installation, let it send with an "
    "application of its own (--key-id and the files), or stop it (--revoke). Files are named, never read out."
)
_NEEDED = ("key_id", "key_file", "api_key_file", "service")


class Command(BaseCommand):
    help = _HELP

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--organisation", required=True, metavar="ODS", help="its ODS code")
        parser.add_argument("--key-id", metavar="KID", help="the key's id, as it was registered")
        parser.add_argument("--key-file", type=Path, help="the private key (PEM, RSA 4096)")
        parser.add_argument("--api-key-file", type=Path, help="a file with the application's API key alone")
        parser.add_argument("--app-id", default="", help="as the developer portal shows it")
        parser.add_argument("--service", metavar="ID", help="where replies go: a hosted service of its own")
        parser.add_argument("--instance", default="", help="software instance; else made of the service id")
        parser.add_argument("--revoke", action="store_true", help="nothing is sent as it any more")

    def handle(self, *args: Any, **options: Any) -> None:
        organisation = Organisation.objects.filter(ods_code=options["organisation"]).first()
        if organisation is None:
            raise CommandError("There is no organisation with that ODS code.")
        actor = Actor(label="bars_connection", organisation_id=organisation.pk)
        who: dict[str, Any] = {"organisation": organisation, "actor": actor, "now": timezone.now()}
        environment = settings.BARS["ENVIRONMENT"]
        if options["revoke"]:
            if not revoke(environment=environment, **who):
                raise CommandError("It does not send with a key of its own.")
        elif any(options[name] for name in _NEEDED):
            self._connect(environment, who, options)
        self._show(organisation, environment)

    def _connect(self, environment: str, who: dict[str, Any], options: dict[str, Any]) -> None:
        if missing := [f"--{name.replace('_', '-')}" for name in _NEEDED if not options[name]]:
            raise CommandError(f"Also give: {', '.join(missing)}.")
        application = Application(
            app_id=options["app_id"],
            key_id=options["key_id"],
            private_key_file=options["key_file"].resolve(),
            api_key_file=options["api_key_file"].resolve(),
            service_id=options["service"],
            software_instance=options["instance"] or f"bars-portal-{environment}-{options['service']}",
        )
        try:
            connect_with_files(name=environment, application=application, **who)
        except StepRefused as refused:
            raise CommandError(refused.sentence) from None

    def _show(self, organisation: Organisation, environment: str) -> None:
        row = connection_of(organisation.ods_code)
        told: dict[str, Any] = {"organisation": organisation.ods_code, "environment": environment}
        if row is not None:
            told |= {
                "key_id": row.key_id,
                "app_id": row.app_id,
                "service": row.service_id,
                "instance": row.software_instance,
                "connected_at": row.connected_at,
                "revoked_at": row.revoked_at,
            }
        self.stdout.write(json.dumps(told | {"own": row is not None}, indent=2, default=str))
