from typing import Any

import pytest

from bars_portal.exchange.fhir.identifiers import ServiceID
from bars_portal.exchange.registry import services
from directory.models import HealthcareService
from directory.selectors.services import (
    hosted_service,
    provider_organisations,
    service_by_id,
    service_ids_provided_by,
    services_on_staff_pages,
)
from tests.factories.accounts import make_organisation
from tests.factories.directory import make_service

pytestmark = pytest.mark.django_db


def test_the_exchange_asks_the_directory() -> None:
    service = make_service(accepted_use_cases=["a1t1"], allowed_callers=["RX1"])

    facts = services.provider.hosted(ServiceID(service.service_id))

    assert facts is not None
    assert facts.provider_ods == service.provider.ods_code
    assert facts.accepted_use_cases == {"a1t1"}
    assert facts.allowed_callers == {"RX1"}
    assert list(services.provider.provided_by(service.provider.pk)) == [service.service_id]


@pytest.mark.parametrize("changes", [{"hosted": False}, {"active": False}])
def test_only_active_services_of_ours_are_hosted(changes: dict[str, Any]) -> None:
    service = make_service(**changes)

    assert hosted_service(service.service_id) is None
    assert service_by_id(service.service_id) == service


@pytest.mark.parametrize("text", ["", "abc", "\x00", "1" * 21, "\u0661", "1; --", "9" * 10_000])
def test_text_that_is_no_service_id_finds_nothing(text: str) -> None:
    make_service(service_id="1")

    assert service_by_id(text) is None


def test_providers_are_organisations_with_services() -> None:
    make_organisation()
    owner = make_service().provider
    make_service(provider=owner)

    assert list(provider_organisations()) == [owner]
    assert len(service_ids_provided_by(owner.pk)) == 2


@pytest.mark.parametrize(("shared", "seen"), [(False, 1), (True, 2)])
def test_staff_see_their_own_services_and_some_what_nobody_here_hosts(shared: bool, seen: int) -> None:
    own = make_service()
    make_service()
    make_service(hosted=False)
    found = HealthcareService.objects.filter(services_on_staff_pages(own.provider_id, shared=shared))
    assert found.count() == seen
