"""A case's request as we hold it, with what came with it."""

from collections.abc import Collection
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from uuid import UUID

from bars_portal.correspondence.entries import Entry, derived_url
from bars_portal.correspondence.states import Direction
from bars_portal.exchange.fhir import json
from bars_portal.exchange.fhir.bundle import MessageBundle, Resource
from bars_portal.exchange.fhir.json import as_dict
from referrals.cases.models import Case
from referrals.cases.wire import index_of, own_encounter_id, read_back


def included_in(case: Case) -> list[list[Any]]:
    """[[fullUrl, resource], ...]. Of a received case that nobody changed since, our stored reply has it."""
    if case.included is None:
        case.included = _from_our_reply(case) if case.direction == Direction.RECEIVED else []
    included: list[list[Any]] = case.included
    return included


def _from_our_reply(case: Case) -> list[list[Any]]:
    if case.message is None or case.message.reply is None:
        return []
    return read_back(json.loads(bytes(case.message.reply)), focus_id=case.pk)


@dataclass(frozen=True)
class HeldRequest:
    """`url` is the fullUrl of the ServiceRequest; `entries` everything else but the header.

    `reference` is ours, for people.
    """

    case_id: UUID
    url: str
    request: Resource = field(repr=False)
    entries: tuple[Entry, ...] = field(repr=False)
    reference: str = ""

    @cached_property
    def _index(self) -> MessageBundle:
        return index_of([(self.url, self.request), *self.entries])

    def of_types(self, kinds: Collection[str]) -> list[Entry]:
        """The entries of these resource types, in the order in which they were sent."""
        return [(url, each) for url, each in self.entries if each.get("resourceType") in kinds]

    @property
    def told(self) -> Resource:
        """The ServiceRequest as it was sent; its Encounter by fullUrl where their id is not kept."""
        asked = self.request.get("encounter")
        if not asked or self._index.resolve(asked) is not None:
            return self.request
        return {**self.request, "encounter": {**as_dict(asked), "reference": self.requester_encounter[0]}}

    @property
    def own_encounter(self) -> Entry | None:
        """Ours, as the requester was told last."""
        ours = own_encounter_id(self.case_id)
        return next((entry for entry in self.of_types({"Encounter"}) if entry[1].get("id") == ours), None)

    @property
    def requester_encounter(self) -> Entry:
        """The one that the ServiceRequest names, else the first that is not ours."""
        named = self._index.resolve(self.request.get("encounter"))
        theirs = [entry for entry in self.of_types({"Encounter"}) if entry != self.own_encounter]
        return next((entry for entry in theirs if entry[1] is named), theirs[0])

    @property
    def patient(self) -> Entry:
        """ServiceRequest.subject, else the only Patient."""
        named = self._index.resolve(self.request.get("subject"))
        patients = self.of_types({"Patient"})
        return next((entry for entry in patients if entry[1] is named), patients[0])

    def part_url(self, part: str) -> str:
        """fullUrl of something that we add: the same in every response about the case."""
        return derived_url(self.case_id, part)


def held_request(case: Case) -> HeldRequest:
    return HeldRequest(
        case_id=case.pk,
        url=case.sender_full_url,
        request=case.resource,
        entries=tuple((url, resource) for url, resource in included_in(case)),
        reference=case.reference,
    )
