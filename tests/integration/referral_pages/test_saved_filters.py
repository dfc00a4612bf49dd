"""Saved filters of the worklist: by name, of one person in one organisation."""

from typing import Any
from urllib.parse import urlencode

import pytest
from django.test import Client
from django.urls import reverse

from bars_portal.accounts.acting import Acting
from referrals.worklist import saved_filters
from referrals.worklist.saved_filters import SavedFilter
from tests.factories.accounts import make_acting
from tests.factories.referrals import NOW
from tests.integration.referral_pages.conftest import client_of, words

pytestmark = pytest.mark.django_db
LIST = "/referrals/worklist/"
CHOSEN = {"kind": "validation", "held": "me"}


@pytest.fixture
def acting() -> Acting:
    return make_acting()


@pytest.fixture
def client(acting: Acting) -> Client:
    return client_of(acting)


def save(client: Client, name: str, **chosen: str) -> Any:
    return client.post(reverse("referrals:save-filter", query=chosen or CHOSEN), {"name": name})


def test_the_present_filter_is_kept_picked_renamed_and_deleted(client: Client) -> None:
    assert "Save this filter" not in words(client.get(LIST))
    shown = words(client.get(f"{LIST}?{urlencode(CHOSEN)}"))
    assert reverse("referrals:save-filter") in shown
    assert save(client, "Mine")["Location"] == f"{LIST}?{urlencode(CHOSEN)}"
    saved = SavedFilter.objects.get()
    assert saved.chosen == CHOSEN
    assert f'href="{LIST}?held=me&amp;kind=validation">Mine</a>' in words(client.get(LIST))
    assert '<strong aria-current="true">Mine</strong>' in words(client.get(f"{LIST}?{urlencode(CHOSEN)}"))
    address = reverse("referrals:rename-filter", args=[saved.pk])
    assert "Mine" in words(client.get(address))
    client.post(address, {"name": "My validations"})
    assert "My validations" in words(client.get(LIST))
    for _ in range(2):
        assert client.post(reverse("referrals:delete-filter", args=[saved.pk])).status_code == 302
    assert "My validations" not in words(client.get(LIST))


def test_a_name_is_needed_and_names_one_filter(client: Client) -> None:
    assert "Enter a name for the filter" in words(save(client, " "))
    save(client, "Mine")
    again = words(save(client, "mine", state="closed"))
    assert "You have a filter of this name already" in again
    assert 'value="mine"' in again
    save(client, "Other", state="closed")
    other = SavedFilter.objects.get(name="Other")
    refused = words(client.post(reverse("referrals:rename-filter", args=[other.pk]), {"name": "MINE"}))
    assert "You have a filter of this name already" in refused
    other.refresh_from_db()
    assert other.name == "Other"


def test_nonsense_is_not_kept(client: Client) -> None:
    save(client, "Odd", kind="nonsense", service="1", state="closed", page="4")
    assert SavedFilter.objects.get().chosen == {"state": "closed"}


def test_nobody_else_sees_or_changes_it(client: Client, acting: Acting) -> None:
    save(client, "Mine")
    saved = SavedFilter.objects.get()
    colleague = client_of(make_acting(organisation=acting.organisation))
    assert "Mine" not in words(colleague.get(LIST))
    address = reverse("referrals:rename-filter", args=[saved.pk])
    assert colleague.get(address).status_code == 404
    assert colleague.post(address, {"name": "Theirs"}).status_code == 404
    colleague.post(reverse("referrals:delete-filter", args=[saved.pk]))
    assert SavedFilter.objects.get().name == "Mine"


def test_there_is_an_end_to_it(client: Client, monkeypatch: pytest.MonkeyPatch, acting: Acting) -> None:
    monkeypatch.setattr(saved_filters, "MOST", 1)
    saved_filters.save_filter(name="One", chosen={}, acting=acting, now=NOW)
    assert "Delete one first" in words(save(client, "Two"))
