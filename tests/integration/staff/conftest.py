"""Two organisations: one whose rows are all there, and one whose people want to see them."""

from dataclasses import dataclass

import pytest
from django.db.models import Model
from django.test import Client

from bars_portal.accounts.models import Organisation, User
from bars_portal.accounts.permissions import Role
from tests.factories.accounts import add_membership, make_organisation, make_user
from tests.factories.everything import make_everything
from tests.worlds import Kept, Worlds


@dataclass(frozen=True)
class World:
    """`rows` are all of `owner`."""

    owner: Organisation
    rows: list[Model]
    elsewhere: Organisation

    def person(self, *roles: Role, at_home: bool = False) -> User:
        """Somebody with these roles, of the owner (`at_home`) or of the other organisation."""
        organisation = self.owner if at_home else self.elsewhere
        person = make_user(role=None)
        for role in roles:
            add_membership(person, organisation, role)
        return person

    def client(self, *roles: Role, at_home: bool = False) -> Client:
        client = Client()
        client.force_login(self.person(*roles, at_home=at_home))
        return client


@pytest.fixture(scope="module")
def kept_world(worlds: Worlds) -> Kept[World]:
    def make() -> World:
        owner = make_organisation(name="Zanzibar Health")
        return World(owner, make_everything(owner), make_organisation(name="Elsewhere"))

    return worlds.keep("kept_world", make)


@pytest.fixture
def world(kept_world: Kept[World], db: None) -> World:
    return kept_world.copy()
