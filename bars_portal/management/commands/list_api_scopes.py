"""What docs/ holds of the API: the tables of its scopes, and the OpenAPI document as it is compared."""

from typing import Any

import orjson
from django.core.management.base import BaseCommand, CommandParser

from bars_portal.accounts.acting import StatedPerson
from bars_portal.accounts.permissions import Role
from bars_portal.api.operations import Scope, permissions_for
from bars_portal.api.schema import document

_HEAD = """# What an application may do through the API

Written by the program; a test holds it to the code, and tries every operation with every scope alone and from
another organisation:

```sh
.venv/bin/python manage.py list_api_scopes > docs/api-scopes.md
```

What is of another organisation, or at a service that the application may not act for, is not there: 404.

## Which scope opens what

"any": a token is enough.
"""
_PEOPLE = """
## What a scope gives, and to whom

By itself an application has what "Alone" says; for a person whom it states in `X-Acting-User` it has the
smaller of the scope and the role. `"clinical": false` takes away what only a clinician may do.
"""
_NOBODY = ("a", "b", "c")


def scopes_page() -> str:
    """The whole of docs/api-scopes.md."""
    columns = "".join(f" {each.value} |" for each in Scope)
    lines = [f"| Operation | Address | any |{columns}", f"|---|---|---|{'---|' * len(Scope)}"]
    for path, verbs in document()["paths"].items():
        for verb, operation in verbs.items():
            needed = operation["security"][0]["oauth2"]
            marks = "".join(f" {'yes' if each.value in needed else ''} |" for each in Scope)
            address = f"`{verb.upper()} {path}`"
            lines.append(f"| {operation['operationId']} | {address} | {'' if needed else 'yes'} |{marks}")
    people = [
        "| Scope | Permission | Alone | For a clerk | For a clinician, not clinical | The same, clinical |",
        "|---|---|---|---|---|---|",
        *(_row(scope, permission) for scope in Scope for permission in sorted(_widest(scope))),
    ]
    return "\n".join([_HEAD, *lines, _PEOPLE, *people]) + "\n"


def openapi_page() -> str:
    """The whole of docs/api/openapi.json; a line for each value, so that a change is seen."""
    return orjson.dumps(document(), option=orjson.OPT_INDENT_2).decode() + "\n"


def _stated(role: Role, *, clinical: bool) -> StatedPerson:
    return StatedPerson(*_NOBODY, role=role, is_clinical=clinical)


_WHO = (
    None,
    _stated(Role.CLERK, clinical=False),
    _stated(Role.CLINICIAN, clinical=False),
    _stated(Role.CLINICIAN, clinical=True),
)


def _widest(scope: Scope) -> frozenset[str]:
    return frozenset().union(*(permissions_for([scope], who) for who in _WHO))


def _row(scope: Scope, permission: str) -> str:
    marks = "".join(f" {'yes' if permission in permissions_for([scope], who) else ''} |" for who in _WHO)
    return f"| {scope.value} | `{permission}` |{marks}"


class Command(BaseCommand):
    help = "Print docs/api-scopes.md: operations by scope, and permissions by scope and person."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--openapi", action="store_true", help="Print docs/api/openapi.json instead.")

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(openapi_page() if options["openapi"] else scopes_page(), ending="")
