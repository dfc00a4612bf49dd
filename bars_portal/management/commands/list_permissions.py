"""Who may do what: the table of docs/permissions.md, from the roles and from the staff pages themselves."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.contrib import admin
from django.core.management.base import BaseCommand
from django.http import HttpRequest

from bars_portal.accounts.permissions import ALL_PERMISSIONS, PERMISSIONS, Role
from bars_portal.audit.staff_pages import StaffAdmin

_HEAD = """# Who may do what

Written by the program; a test holds it to the code and tries every act of the administration with every role:

```sh
.venv/bin/python manage.py list_permissions > docs/permissions.md
```

A role is a membership of a person in an organisation (`bars_portal/accounts/permissions.py`), and people act
for one organisation at a time. Superusers may do everything; they give the roles. The installation engineer
keeps what is of no single organisation: code lists, rules for every service, and the directory of services
that nobody here hosts.
"""
_ACTS = ("view", "add", "change", "delete")


@dataclass(frozen=True)
class _Holder:
    """Somebody with one role, as staff pages ask for them."""

    role: Role
    is_superuser: bool = False
    is_active: bool = True
    acting_organisation_id: int | None = None

    def has_perm(self, permission: str, row: object = None) -> bool:
        return permission in PERMISSIONS[self.role]


@dataclass(frozen=True)
class StaffAct:
    """One thing that a page lets people do ("change", or the words of an action), and the roles that may."""

    page: StaffAdmin
    act: str
    roles: tuple[Role, ...]


def staff_acts() -> Iterator[StaffAct]:
    """Of every page of the administration, in its order."""
    pages = [each for each in admin.site._registry.values() if isinstance(each, StaffAdmin)]
    for page in sorted(pages, key=lambda each: each.opts.label_lower):
        by_role = {role: _acts_of(page, role) for role in Role if _opens(role)}
        for act in dict.fromkeys(act for acts in by_role.values() for act in acts):
            yield StaffAct(page, act, tuple(role for role, acts in by_role.items() if act in acts))


def _opens(role: Role) -> bool:
    return "portal.open_admin" in PERMISSIONS[role]


def _acts_of(page: StaffAdmin, role: Role) -> list[str]:
    request = HttpRequest()
    request.user = _Holder(role)  # type: ignore[assignment]  # as much of a person as pages ask for
    acts = [act for act in _ACTS if getattr(page, f"has_{act}_permission")(request)]
    actions: dict[str, Any] = page.get_actions(request)
    return [*acts, *(str(words) for _, _, words in actions.values())]


def permissions_page() -> str:
    """The whole of docs/permissions.md."""
    columns = "".join(f" {role.label} |" for role in Role)
    lines = [
        f"\n## In the administration\n\n| Page | Act | Whose rows |{columns}",
        f"|---|---|---|{'---|' * len(Role)}",
    ]
    for each in staff_acts():
        name = str(each.page.opts.verbose_name_plural).capitalize()
        lines.append(f"| {name} | {each.act} | {each.page.whose} |{_marks(each.roles)}")
    lines += ["\n## Everywhere\n", f"| Permission |{columns}", f"|---|{'---|' * len(Role)}"]
    for permission in sorted(ALL_PERMISSIONS):
        holders = [role for role in Role if permission in PERMISSIONS[role]]
        lines.append(f"| `{permission}` |{_marks(holders)}")
    return _HEAD + "\n".join(lines) + "\n"


def _marks(roles: Any) -> str:
    return "".join(" yes |" if role in roles else "  |" for role in Role)


class Command(BaseCommand):
    help = "Print docs/permissions.md: who may do what, everywhere and in the administration."

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(permissions_page(), ending="")
