"""Reading from another service: who asks, one read, all pages of a search; outside any transaction."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

from bars_portal.accounts.acting import Acting, StatedPerson
from bars_portal.accounts.models import Organisation, User
from bars_portal.audit.actor import Actor
from bars_portal.exchange.fhir import json
from bars_portal.exchange.fhir.identifiers import SDS_ROLE_PROFILE_SYSTEM, ServiceID, same_system
from bars_portal.exchange.fhir.json import as_list, next_page
from bars_portal.exchange.gateway.senders import software_of
from bars_portal.exchange.transport.client import BarsClient
from bars_portal.exchange.transport.headers import OutgoingContext, Party, Practitioner, Software
from bars_portal.exchange.transport.judgement import Delivery, judge_answer
from bars_portal.http import TransportError


@dataclass(frozen=True)
class SenderIdentity:
    """The organisation, and the person when one acts. `practitioner` is None when the role is not known.

    `stated`: for whom an application acts; then `actor` is the application's account.
    """

    organisation: Party
    actor: Actor
    software: Software
    practitioner: Practitioner | None = None
    stated: StatedPerson | None = None


def sender_identity(acting: Acting) -> SenderIdentity:
    """The signed-in person, for the organisation that they act for; or whom an application acts for."""
    return _identity(acting.organisation, acting.user, acting.actor, acting.stated)


def identity_of(actor: Actor, *, stated: StatedPerson | None = None) -> SenderIdentity:
    """The same in a worker, where only the actor of a message is known; reads organisation and user."""
    user = User.objects.filter(pk=actor.user_id).first() if actor.user_id else None
    if actor.organisation_id is None:
        raise ValueError("Nobody sends without an organisation.")
    return _identity(Organisation.objects.get(pk=actor.organisation_id), user, actor, stated)


def reading_context(
    sender: SenderIdentity, service_id: str, correlation_id: UUID | None = None, *, version: str = ""
) -> OutgoingContext:
    """Headers of one read; `version` as in OutgoingContext. Raises InvalidIdentifier."""
    return OutgoingContext(
        request_id=uuid4(),
        correlation_id=correlation_id or uuid4(),
        target=ServiceID.parse(service_id),
        organisation=sender.organisation,
        software=sender.software,
        practitioner=sender.practitioner,
        version=version,
    )


def _identity(
    organisation: Organisation, user: User | None, actor: Actor, stated: StatedPerson | None
) -> SenderIdentity:
    party, software = Party(organisation.ods_code, organisation.name), software_of(organisation.ods_code)
    practitioner = _practitioner(user) if stated is None else _stated(stated)
    return SenderIdentity(party, actor, software, practitioner, stated)


def _practitioner(user: User | None) -> Practitioner | None:
    if user is None or not user.sds_role_profile_id:
        return None
    return Practitioner(user.sds_role_profile_id, user.role_code, user.role_display)


def _stated(person: StatedPerson) -> Practitioner | None:
    """The header has room for an SDS role profile only."""
    return Practitioner(person.value) if has_role_profile(person) else None


def has_role_profile(person: StatedPerson) -> bool:
    """Whether they are named by their SDS role profile id."""
    return same_system(person.system, SDS_ROLE_PROFILE_SYSTEM)


Params = Sequence[tuple[str, str]]
_NOT_FOUND = 404


class Missing(Exception):
    """The service says that there is no such thing."""


class Unreachable(Exception):
    """No answer that could be used."""


# Of one search, whatever its receiver makes of it.
MOST_PAGES = 8


@dataclass(frozen=True)
class Pages:
    """The pages of a search as they came; `is_cut`: there are more, which did not come."""

    pages: list[dict[str, Any]]
    is_cut: bool = False

    @property
    def bundle(self) -> dict[str, Any]:
        """The first page with the entries of all of them."""
        entries = [each for page in self.pages for each in as_list(page.get("entry"))]
        return {**self.pages[0], "entry": entries}


def follow(resource_type: str, params: Params, fetch: Callable[[Params], dict[str, Any]]) -> Pages:
    """All pages of a search, as far as they come.

    `fetch` asks for one page and raises Missing or Unreachable, which is passed on for the first.
    """
    pages, asked = [fetch(params)], [tuple(params)]
    while (following := next_page(pages[-1], resource_type)) is not None:
        if not following or following in asked or len(pages) >= MOST_PAGES:
            return Pages(pages, is_cut=True)
        asked.append(following)
        try:
            pages.append(fetch(following))
        except (Missing, Unreachable):
            return Pages(pages, is_cut=True)
    return Pages(pages)


def search(
    client: BarsClient,
    *,
    sender: SenderIdentity,
    service_id: str,
    correlation_id: UUID,
    resource_type: str,
    params: Params,
) -> Pages:
    """What the service finds, page by page, each under an id of its own. Raises Missing and Unreachable."""

    def fetch(page: Params) -> dict[str, Any]:
        return ask(
            client,
            sender=sender,
            service_id=service_id,
            correlation_id=correlation_id,
            path=f"/{resource_type}",
            params=page,
            expected="Bundle:searchset",
        )

    return follow(resource_type, params, fetch)


def ask(
    client: BarsClient,
    *,
    sender: SenderIdentity,
    service_id: str,
    correlation_id: UUID,
    path: str,
    params: Params = (),
    expected: str,
) -> dict[str, Any]:
    """The resource that the service answers with. Raises Missing and Unreachable."""
    context = reading_context(sender, service_id, correlation_id)
    try:
        answer = client.get(path, params=params, context=context)
    except TransportError:
        raise Unreachable from None
    judged = judge_answer(
        answer, request_id=context.request_id, correlation_id=context.correlation_id, expected=expected
    )
    if judged.delivery is Delivery.ACCEPTED:
        return json.loads(answer.body)
    # What the proxy does not find is the service, and says nothing of what it holds.
    by_proxy = any(issue.code.upper().startswith("PROXY_") for issue in judged.issues)
    raise Missing if answer.status == _NOT_FOUND and not by_proxy else Unreachable
