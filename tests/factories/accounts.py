"""People and organisations for tests."""

from datetime import UTC, datetime
from itertools import count

from django.test import Client

from bars_portal.accounts.acting import Acting, resolve_acting
from bars_portal.accounts.decorators import note_proof
from bars_portal.accounts.models import Membership, Organisation, User
from bars_portal.accounts.permissions import Role
from bars_portal.accounts.second_factor import proofs

PASSWORD = "correct horse battery staple"
_numbers = count(1)


def make_organisation(*, ods_code: str = "", name: str = "", phone: str = "") -> Organisation:
    number = next(_numbers)
    return Organisation.objects.create(
        ods_code=ods_code or f"T{number:04d}", name=name or f"Test organisation {number}", phone=phone
    )


def make_user(
    *,
    role: Role | str | None = Role.CLINICIAN,
    organisation: Organisation | None = None,
    username: str = "",
    password: str = PASSWORD,
    is_superuser: bool = False,
    first_name: str = "",
    last_name: str = "",
) -> User:
    """A person with `role` in `organisation` (a new one when none is given); role None: no membership."""
    user = User.objects.create_user(
        username=username or f"person{next(_numbers)}",
        password=password,
        is_superuser=is_superuser,
        first_name=first_name,
        last_name=last_name,
    )
    if role is not None:
        add_membership(user, organisation or make_organisation(), role)
    return user


def add_membership(user: User, organisation: Organisation, role: Role | str = Role.CLINICIAN) -> Membership:
    return Membership.objects.create(user=user, organisation=organisation, role=Role(role).value)


def code_at(secret: bytes, now: datetime) -> str:
    """What an authenticator app shows at that moment."""
    return proofs.code_of(secret, int(now.timestamp()) // proofs.PERIOD_SECONDS)


def confirm(client: Client) -> None:
    """As if they had just shown who they are: what `requires_step_up` guards is open."""
    session = client.session
    note_proof(session, now=datetime.now(UTC))
    session.save()


def make_acting(
    *, role: Role | str = Role.CLINICIAN, organisation: Organisation | None = None, user: User | None = None
) -> Acting:
    """A signed-in person as views see them, without a request."""
    acting = resolve_acting(user or make_user(role=role, organisation=organisation), {})
    assert acting is not None
    return acting
