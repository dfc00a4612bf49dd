from datetime import UTC, datetime

import pytest

from directory.selectors.targets import NoEndpoint, SeveralEndpoints, resolve_target, why_unreachable
from tests.factories.directory import make_endpoint, make_service

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 7, 14, 12, 0, tzinfo=UTC)


def test_a_service_id_leads_to_its_endpoint() -> None:
    endpoint = make_endpoint()
    assert resolve_target(endpoint.service.service_id, now=NOW) == endpoint


def test_none_and_several() -> None:
    with pytest.raises(NoEndpoint):
        resolve_target("1", now=NOW)
    endpoint = make_endpoint()
    make_endpoint(service=endpoint.service)
    with pytest.raises(SeveralEndpoints):
        resolve_target(endpoint.service.service_id, now=NOW)
    assert "2 endpoints" in why_unreachable(endpoint.service, now=NOW)


def test_what_the_directory_does_not_know_may_be_tried() -> None:
    assert why_unreachable(make_service(), now=NOW) == ""
    assert "suspended" in why_unreachable(make_endpoint(status="suspended").service, now=NOW)
